// Tells a pull request what `factline contracts check` found: `node tools/publish-contracts.mjs <folder of contracts.md and contracts.sarif>`, in GitHub Actions
// (GITHUB_REPOSITORY, GITHUB_REF, GITHUB_SHA, and GH_TOKEN for gh). One comment, which later pushes rewrite; and an analysis for code scanning.
// What the token may not do is said and passed over: annotations and the exit code of the check do not depend on it.
import { execFileSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';

/** First line of the markdown, by which the comment is found again. */
const MARK = '<!-- factline contracts check -->';
/** Whose token a workflow has. Others may write comments with the mark: those are left alone. */
const AUTHOR = 'github-actions[bot]';
/** A pull request of a thousand comments of full length. */
const ANSWER_MAX_BYTES = 100_000_000;

const folder = process.argv[2] ?? '.';
const { GITHUB_REPOSITORY: repository = '', GITHUB_REF: ref = '', GITHUB_SHA: commit = '' } = process.env;
const pull = /^refs\/pull\/(\d+)\//.exec(ref)?.[1];
const written = (file) => (existsSync(join(folder, file)) ? readFileSync(join(folder, file), 'utf8') : '');

/** Asks GitHub; `undefined` when it refuses, which is said. */
function gh(purpose, path, { method = 'GET', body, options = [] } = {}) {
  const args = ['api', '--method', method, ...options, ...(body ? ['--input', '-'] : []), `repos/${repository}/${path}`];
  try {
    return JSON.parse(execFileSync('gh', args, { encoding: 'utf8', input: body && JSON.stringify(body), maxBuffer: ANSWER_MAX_BYTES, stdio: ['pipe', 'pipe', 'pipe'] }) || '{}');
  } catch (error) {
    const words = String(error.stderr ?? error.message).trim();
    if (!/\(HTTP 40[34]\)/.test(words)) throw new Error(`${purpose}: ${words}`, { cause: error });
    console.log(`::notice::${purpose}: not allowed here, left out (${words.replaceAll(/\s+/g, ' ')})`);
    return undefined;
  }
}

/** Nothing is written where nothing breaks and nothing was written before. */
function comment(text, breaks) {
  const pages = gh('read the comments', `issues/${pull}/comments?per_page=100`, { options: ['--paginate', '--slurp'] });
  if (!pages) return;
  const former = pages.flat().find(({ user, body }) => user?.login === AUTHOR && body?.startsWith(MARK));
  const body = text || `${MARK}\n### Contracts: not checked\n\nThe check of ${commit} did not come to an end; the log of the workflow says why.\n`;
  if (former) {
    if (former.body.trim() !== body.trim() && gh('rewrite the comment', `issues/comments/${former.id}`, { method: 'PATCH', body: { body } })) console.log(`comment ${former.id} rewritten`);
  } else if (breaks && gh('write a comment', `issues/${pull}/comments`, { method: 'POST', body: { body } })) {
    console.log('comment written');
  }
}

function upload(sarif) {
  const body = { commit_sha: commit, ref, sarif: gzipSync(sarif).toString('base64') };
  if (gh('upload to code scanning', 'code-scanning/sarifs', { method: 'POST', body })) console.log('uploaded to code scanning');
}

if (!pull) throw new Error(`'${ref}' is no pull request: GITHUB_REF is refs/pull/<number>/merge in a workflow on pull_request`);
const sarif = written('contracts.sarif');
comment(written('contracts.md'), sarif !== '' && JSON.parse(sarif).runs.some(({ results }) => results.some(({ level }) => level !== 'note')));
if (sarif) upload(sarif);
