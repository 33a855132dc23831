import { messageOf } from 'factline/kernel';
import { Store } from 'factline/store';
import { keyName, leaves } from '../employees.js';
import { percentile } from '../measurement.js';
import { serveChild } from './child.js';

export interface ReadersArgument {
  databaseUrl: string;
  readers: number;
  keys: number;
}

export interface ReadersResult {
  reads: number;
  /** Errors, and reads that did not find a row that is always there. */
  failed: number;
  /** Reads that saw an older state of a key than a read before. */
  backwards: number;
  p99Ms: number;
  maxMs: number;
  failures: string[];
}

const READ = 'select factline_sequence::double precision as sequence from payees.payees where employee_id = $1';
/** Enough to see a percentile; all of them would only cost memory. */
const LATENCIES = 200_000;

/** Readers of the read model, each with a prepared statement and no pause between its reads. */
await serveChild<ReadersArgument, ReadersResult>(async ({ databaseUrl, readers, keys }, side) => {
  const store = new Store({ url: databaseUrl, applicationName: 'bench readers', connections: readers });
  const staying = Array.from({ length: keys }, (_, key) => key).filter((key) => !leaves(key));
  const seen = new Map<number, number>();
  const latencies: number[] = [];
  const result: ReadersResult = { reads: 0, failed: 0, backwards: 0, p99Ms: 0, maxMs: 0, failures: [] };
  let running = true;
  const fail = (what: string) => {
    result.failed++;
    if (result.failures.length < 5) result.failures.push(what);
  };
  const read = async (key: number) => {
    const before = seen.get(key) ?? 0;
    const started = performance.now();
    try {
      const { rows } = await store.query<{ sequence: number }>(READ, [keyName(key)], 'read');
      if (rows.length !== 1) return fail(`no row of ${keyName(key)}`);
      if (rows[0]!.sequence < before) result.backwards++;
      seen.set(key, Math.max(seen.get(key) ?? 0, rows[0]!.sequence));
    } catch (error) {
      fail(messageOf(error));
    } finally {
      const ms = performance.now() - started;
      result.reads++;
      result.maxMs = Math.max(result.maxMs, ms);
      latencies[result.reads % LATENCIES] = ms;
    }
  };
  const loop = async () => {
    while (running) await read(staying[Math.floor(Math.random() * staying.length)]!);
  };
  const loops = Array.from({ length: readers }, loop);
  side.ready();
  await side.finished;
  running = false;
  await Promise.all(loops);
  await store.close();
  return { ...result, p99Ms: percentile(latencies.filter((ms) => ms !== undefined), 99) };
});
