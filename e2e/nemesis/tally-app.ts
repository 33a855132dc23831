import { writeSync } from 'node:fs';
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
  /** Of its reaction. */
  reaction?: { state: string; code: string | null; fenced: number };
}

/** How often it says how it is. */
const SAY_EVERY = 250;

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
const following = followWatermarks(log, freshness, end.signal);
while (!end.signal.aborted) {
  const { state, trouble, counts, blockedKeys } = subscription.status;
  const told = reaction?.subscription.status;
  const status: TallyStatus = { ...(told && { reaction: { state: told.state, code: told.trouble?.code ?? null, fenced: told.counts.fenced } }), state, code: trouble?.code ?? null, facts: counts.facts, fenced: counts.fenced, blockedKeys, heapBytes: process.memoryUsage().heapUsed };
  writeSync(1, `${JSON.stringify(status)}\n`);
  await pause(SAY_EVERY, end.signal);
}
await subscription.stop();
await reaction?.stop();
await following;
await other?.close();
await close();
