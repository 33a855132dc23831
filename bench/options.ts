import { parseArgs } from 'node:util';

export interface Options {
  quick: boolean;
  json: boolean;
  markdown: boolean;
  peers: boolean;
  /** Names of measures to run, in order. */
  run: readonly string[];
}

/** What each measure yields; `--only` takes these names as well as those of the measures. */
const YIELDS: Readonly<Record<string, readonly string[]>> = {
  'decode-selection': ['decode-selection'],
  'contracts-check': ['contracts-check', 'contracts-check-cold', 'contracts-check-warm', 'contracts-check-one-file-changed'],
  'relay-drain': ['relay-drain', 'peer-skip-locked-relay'],
  'outbox-writer-cost': ['outbox-writer-cost'],
  'projection-live': ['projection-live', 'peer-kafkajs-unnest', 'peer-nest-serverkafka'],
  rebuild: ['rebuild', 'rebuild-verify'],
  swap: ['swap', 'failed-reads'],
  latency: ['latency', 'commit-to-topic', 'commit-to-readable'],
  'reactions-live': ['reactions-live', 'reactions-together'],
  jobs: ['jobs', 'jobs-together'],
  'blocked-keys': ['blocked-keys', 'blocked-keys-slow-others'],
  'redrive-rate': ['redrive-rate', 'redrive-rate-off-by'],
  'admission-goodput': ['admission-goodput'],
};

export const USAGE = `npm run bench -- [--quick] [--peers] [--only name,name] [--json | --markdown]
  --quick     smaller counts, under three minutes in all
  --peers     also what people use or write instead, in the same run
  --only      some measures: ${Object.values(YIELDS).flat().join(', ')}
  --json      one JSON array on stdout, progress on stderr
  --markdown  the table of docs/reference/benchmarks.md on stdout`;

/** @throws TypeError or RangeError with a sentence for the terminal. */
export function parseOptions(args: readonly string[]): Options {
  const flag = { type: 'boolean', default: false } as const;
  const { values } = parseArgs({ args: [...args], options: { quick: flag, json: flag, markdown: flag, peers: flag, only: { type: 'string' } } });
  const { only, ...flags } = values;
  if (only === undefined) return { ...flags, run: Object.keys(YIELDS) };
  const wanted = only.split(',').map((name) => name.trim().replace(/(-p\d+)?(@\d+)?$/, ''));
  const unknown = wanted.filter((name) => !Object.values(YIELDS).flat().includes(name));
  if (unknown.length > 0) throw new RangeError(`--only does not know ${unknown.join(', ')}.`);
  const run = Object.keys(YIELDS).filter((measure) => YIELDS[measure]!.some((name) => wanted.includes(name)));
  return { ...flags, peers: flags.peers || wanted.some((name) => name.startsWith('peer-')), run };
}
