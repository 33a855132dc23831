import { chmodSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

export interface Comment {
  readonly id: number;
  readonly user: { readonly login: string };
  readonly body: string;
}

/** What `gh api` was asked for, one entry a call. */
interface Call {
  readonly method: string;
  readonly path: string;
  readonly body?: Record<string, string>;
}

interface State {
  /** Answered instead, when the path has the text. */
  refuse?: { path: string; status: number };
  comments: Comment[];
  calls: Call[];
}

/** A program `gh` in a folder for PATH that keeps comments in a file, two a page, and knows no more of GitHub than the calls that are published here. */
export class FakeGh {
  readonly #file: string;

  constructor(readonly folder: string) {
    this.#file = join(folder, 'state.json');
    mkdirSync(folder, { recursive: true });
    writeFileSync(join(folder, 'gh'), `#!${process.execPath}\nconst file = ${JSON.stringify(this.#file)};\n${PROGRAM}`);
    chmodSync(join(folder, 'gh'), 0o755);
    this.state = { comments: [], calls: [] };
  }

  get state(): State {
    return JSON.parse(readFileSync(this.#file, 'utf8')) as State;
  }

  set state(state: State) {
    writeFileSync(this.#file, JSON.stringify(state));
  }

  /** The calls since they were last asked for. */
  calls(): Call[] {
    const { calls, ...rest } = this.state;
    this.state = { ...rest, calls: [] };
    return calls;
  }
}

const PROGRAM = `
const { readFileSync, writeFileSync } = require('node:fs');
const state = JSON.parse(readFileSync(file, 'utf8'));
const [api, ...args] = process.argv.slice(2);
const path = args.at(-1);
const method = args[args.indexOf('--method') + 1];
const body = args.includes('--input') ? JSON.parse(readFileSync(0, 'utf8')) : undefined;
const end = (status) => { process.stderr.write('gh: said so (HTTP ' + status + ')\\n'); process.exit(1); };
if (api !== 'api' || !process.env.GH_TOKEN) end(401);
if (state.refuse && path.includes(state.refuse.path)) end(state.refuse.status);
state.calls.push({ method, path, body });
const one = /^repos\\/o\\/r\\/issues\\/comments\\/(\\d+)$/.exec(path);
let answer = {};
if (method === 'GET' && path === 'repos/o/r/issues/7/comments?per_page=100' && args.includes('--paginate') && args.includes('--slurp')) {
  answer = state.comments.flatMap((_comment, at, all) => (at % 2 === 0 ? [all.slice(at, at + 2)] : []));
} else if (method === 'POST' && path === 'repos/o/r/issues/7/comments') {
  if (body.body.length > 65536) end(422);
  state.comments.push({ id: 100 + state.comments.length, user: { login: 'github-actions[bot]' }, body: body.body });
} else if (method === 'PATCH' && one) {
  state.comments = state.comments.map((comment) => (comment.id === Number(one[1]) ? { ...comment, body: body.body } : comment));
} else if (method !== 'POST' || path !== 'repos/o/r/code-scanning/sarifs') end(404);
writeFileSync(file, JSON.stringify(state));
process.stdout.write(JSON.stringify(answer));
`;
