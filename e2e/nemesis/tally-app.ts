import { writeSync } from 'node:fs';
import { Cache, readModelSource } from 'factline/cache';
import { FactSubscription, Freshness, followWatermarks } from 'factline/consumer';
import { FactDecoder } from 'factline/contracts';
import { pause } from 'factline/kernel';
import { LiveProjection } from 'factline/projections';
import { type Addresses, openConnections } from '../../bench/processes/connections.js';
import { PRODUCED } from '../../bench/employees.js';
import { tally } from '../support/tally.js';
import { startPayslips } from './payslips.js';

export interface TallyArgument extends Addresses {
  group: string;
  name: string;
  /** The database of its reaction; absent: it has none. */
  payslipsUrl?: string;
}

/** What it says of itself, a line each time. */
export interface TallyStatus {
  state: string;
  code: string | null;
  facts: number;
  fenced: number;
  blockedKeys: number;
  heapBytes: number;
  /** What its cache answered since it last said something. */
  cached: { at: number; key: string; sequence: number; asOf: number | null }[];
  /** Of its reaction. */
  reaction?: { state: string; code: string | null; fenced: number };
}

/** How often it says how it is. */
const SAY_EVERY = 250;
const READ_EVERY = 50;
/** An answer older than this is loaded again, if it can be; watermarks come every 5 s at the latest. */
const STALE_AFTER = '8s';

/** A process with a read model that counts: a fact that is applied twice, or never, is seen in its row for ever. Ends on SIGTERM. */
const argument = JSON.parse(process.argv[2]!) as TallyArgument;
const { log, store, schemas, close } = await openConnections(argument);
const projection = tally(argument.name, argument.topic);
const model = new LiveProjection(projection, store, new FactDecoder(projection.facts, schemas));
const freshness = new Freshness();
const subscription = new FactSubscription({ name: argument.name, group: argument.group, topics: projection.topics, log, target: model, freshness });
const end = new AbortController();
process.once('SIGTERM', () => end.abort());
subscription.start();
const other = argument.payslipsUrl === undefined ? undefined : await openConnections({ ...argument, databaseUrl: argument.payslipsUrl }, PRODUCED);
const reaction = other && startPayslips(other);
const known = new Set<string>();
const cache = new Cache<{ sequence: number }>({
  name: 'tallies',
  load: async (key) => (await store.query<{ sequence: number }>(`select last_sequence::float8 as sequence from ${argument.name}.${argument.name} where key = $1`, [key])).rows[0],
  source: readModelSource(store, argument.name),
  staleAfter: STALE_AFTER,
}).on(projection.facts[0]!, ({ key }) => [known.add(key) && key]);
cache.start({ log, writers: schemas });
const cached: TallyStatus['cached'] = [];
const reading = readCache();
const following = followWatermarks(log, freshness, end.signal);
while (!end.signal.aborted) {
  const { state, trouble, counts, blockedKeys } = subscription.status;
  const told = reaction?.subscription.status;
  const status: TallyStatus = { cached: cached.splice(0), ...(told && { reaction: { state: told.state, code: told.trouble?.code ?? null, fenced: told.counts.fenced } }), state, code: trouble?.code ?? null, facts: counts.facts, fenced: counts.fenced, blockedKeys, heapBytes: process.memoryUsage().heapUsed };
  writeSync(1, `${JSON.stringify(status)}\n`);
  await pause(SAY_EVERY, end.signal);
}
await subscription.stop();
await reaction?.stop();
await following;
await reading;
await cache.stop();
await other?.close();
await close();

/** One key after another, of those that its facts have named. What cannot be loaded now is asked for again. */
async function readCache(): Promise<void> {
  for (let turn = 0; !end.signal.aborted; turn++) {
    const keys = [...known];
    const key = keys[turn % keys.length];
    const answer = key === undefined ? undefined : await Promise.resolve(cache.get(key)).catch(() => undefined);
    if (answer) cached.push({ at: Date.now(), key: key!, sequence: answer.value?.sequence ?? 0, asOf: answer.asOf?.getTime() ?? null });
    await pause(READ_EVERY, end.signal);
  }
}
