// Writes docs/reference/{errors,limits,rules,cli}.md from the source and the built command line, and the code in docs/start; with --check it compares instead.
import { execFileSync } from 'node:child_process';
import { globSync, readFileSync, writeFileSync } from 'node:fs';
import { basename } from 'node:path';

const check = process.argv.includes('--check');
const sources = globSync(['libs/*/src/**/*.ts', 'apps/cli/src/**/*.ts']).filter((file) => !/\.spec\.|\.suite\.|test-|golden-/.test(file)).sort();
const cell = (text) => text.replaceAll('|', '\\|').replaceAll(/\s+/g, ' ');
const libOf = (file) => file.split('/')[1];

/** Error codes are dotted literals: `code: 'x.y'`, or the first argument of a function that makes an error. */
function errors() {
  const found = new Map();
  for (const file of sources) {
    const text = readFileSync(file, 'utf8');
    for (const match of text.matchAll(/(?:code: |\()'([a-z]+\.[a-z][a-z-]*)'([\s\S]{0,700}?)(?:\n\s*\}\)|\}\],|\);|\n\s*\})/g)) {
      const [, code, rest] = match;
      if (/^(factline|node|w)\./.test(code) || !(/kind:|message|advice/.test(rest) || /['`]/.test(rest))) continue;
      const kind = /kind: '([a-z-]+)'/.exec(rest)?.[1];
      const advice = /advice:\s*(?:'((?:[^'\\]|\\.)*)'|`((?:[^`\\]|\\.)*)`|"([^"]*)")/.exec(rest);
      const entry = found.get(code) ?? { lib: libOf(file) };
      found.set(code, { ...entry, kind: entry.kind ?? kind, advice: entry.advice ?? (advice ? (advice[1] ?? advice[2] ?? advice[3]) : undefined) });
    }
  }
  const rows = [...found].sort(([a], [b]) => (a < b ? -1 : 1)).map(([code, { lib, kind, advice }]) => `| \`${code}\` | ${lib} | ${kind ?? ''} | ${cell((advice ?? '').replaceAll('\\', '').replaceAll(/\$\{[^}]*\}/g, '…'))} |`);
  return ['# Errors', '', 'Every error has a stable code, a kind, a message and advice. What follows from a kind: [exit codes](cli.md#exit-codes) and HTTP status.', '', '| code | from | kind | what to do next |', '|---|---|---|---|', ...rows].join('\n');
}

function limits() {
  const parts = ['# Limits', '', 'Every queue, batch, retry, page and wait has one. The unit is in the name.'];
  for (const file of globSync('libs/*/src/limits.ts').sort()) {
    parts.push('', `## ${libOf(file)}`, '', '| limit | value | why |', '|---|---|---|');
    for (const match of readFileSync(file, 'utf8').matchAll(/\/\*\*([\s\S]*?)\*\/\s*export const (\w+)(?::[^=]+)? = ([^;]+);/g)) {
      const [, why, name, value] = match;
      parts.push(`| \`${name}\` | ${cell(value)} | ${cell(why.replaceAll(/\n\s*\*/g, ' ').trim())} |`);
    }
  }
  return parts.join('\n');
}

const EXIT_CODES = `## Exit codes

| code | means |
|---|---|
| 0 | done |
| 1 | refused: a rule says no, or the thing changed or exists already |
| 2 | wrong call: arguments, configuration, a name that does not exist |
| 3 | something needed does not answer: Kafka, registry, database |
| 4 | another process owns it now |
| 5 | integrity: data contradicts a guarantee, for example an incomplete history |
| 70 | a defect of this software |
| 100 | findings: \`verify\` found differences, \`doctor\` found trouble, \`contracts check\` found what breaks |
| 130 | cancelled; what was finished is kept |`;

function help(words) {
  const text = execFileSync(process.execPath, ['dist/apps/cli/src/main.js', ...words, '--help'], { encoding: 'utf8', env: { ...process.env, COLUMNS: '100', NO_COLOR: '1' } });
  const commands = /Commands:\n([\s\S]*)$/.exec(text)?.[1] ?? '';
  const names = [...commands.matchAll(/^ {2}([a-z-]+)/gm)].map(([, name]) => name).filter((name) => name !== 'help');
  const own = [`## factline ${words.join(' ')}`.trim(), '', '```', text.trimEnd(), '```', ''];
  return [...(words.length === 0 || names.length === 0 ? own : []), ...names.flatMap((name) => help([...words, name]))];
}

/** The rules of `factline contracts check`, as `explain` says them. */
function rules() {
  const { rules: found } = JSON.parse(execFileSync(process.execPath, ['dist/apps/cli/src/main.js', 'contracts', 'explain', '--json'], { encoding: 'utf8' }));
  const rows = Object.entries(found).map(([id, { severity, says, why, instead }]) => `| \`${id}\` | ${severity} | ${cell(says)} | ${cell(why)} | ${cell(instead)} |`);
  return ['# Rules', '', 'What `factline contracts check` finds. Ids are stable. `factline contracts explain <rule>` adds an example.', '', '| rule | severity | says | why | instead |', '|---|---|---|---|---|', ...rows].join('\n');
}

const pages = {
  'docs/reference/errors.md': errors,
  'docs/reference/limits.md': limits,
  'docs/reference/rules.md': rules,
  'docs/reference/cli.md': () => ['# Command line', '', 'Text for people, `--json` for machines (one JSON object a line); colours only on a terminal. `npx factline` in a repository, `factline` where the package is installed.', '', EXIT_CODES, '', ...help([])].join('\n'),
};

/** In guides, the code behind `<!-- file: x -->` is the file x of the app that a spec installs, builds and runs. */
async function guide(file) {
  const { startFiles } = await import(new URL('../dist/e2e/support/empty-app.js', import.meta.url).href);
  const files = startFiles();
  return readFileSync(file, 'utf8').replaceAll(/(<!-- file: (\S+) -->\n```(\w+)\n)[\s\S]*?(```\n)/g, (_all, head, name, _language, foot) => `${head}${files[name]}${foot}`);
}

const texts = new Map(Object.entries(pages).map(([file, write]) => [file, `<!-- Generated by tools/reference.mjs; do not edit. -->\n${write().trimEnd()}\n`]));
texts.set('docs/start/README.md', await guide('docs/start/README.md'));

let drifted = 0;
for (const [file, text] of texts) {
  let before = '';
  try {
    before = readFileSync(file, 'utf8');
  } catch (error) {
    if (error.code !== 'ENOENT') throw error;
  }
  if (before === text) continue;
  drifted += 1;
  if (check) console.error(`${file}: out of date; run: npm run reference`);
  else {
    writeFileSync(file, text);
    console.log(`written ${basename(file)}`);
  }
}
if (check && drifted > 0) process.exit(1);
