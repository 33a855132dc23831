import { readFileSync, readdirSync } from 'node:fs';
import { availableParallelism, cpus, loadavg, totalmem } from 'node:os';
import type { Stack } from 'factline/stack';
import { Store } from 'factline/store';

/** Load below which nothing else is taken to disturb a run. */
const IDLE_LOAD = 0.3;

/** What the figures depend on. */
export interface Machine {
  node: string;
  kafka: string;
  postgres: string;
  cores: number;
  processor: string;
  memoryGigabytes: number;
  /** One-minute load average before anything was started. */
  loadBefore: number;
  date: string;
}

export function loadNow(): number {
  return Math.round(loadavg()[0]! * 100) / 100;
}

export async function describeMachine(stack: Stack, loadBefore: number): Promise<Machine> {
  const store = new Store({ url: stack.postgresUrl, applicationName: 'bench', connections: 1 });
  const { rows } = await store.query<{ version: string; settings: string }>(
    `select current_setting('server_version') as version, string_agg(name || ' ' || setting, ', ' order by name) as settings
     from pg_settings where name in ('fsync', 'synchronous_commit')`,
  );
  await store.close();
  return {
    node: process.version,
    kafka: `${kafkaVersion(stack)} (${stack.source})`,
    postgres: `${rows[0]!.version} (${rows[0]!.settings})`,
    cores: availableParallelism(),
    processor: cpus()[0]?.model.trim() ?? 'unknown',
    memoryGigabytes: Math.round(totalmem() / 2 ** 30),
    loadBefore,
    date: new Date().toISOString().slice(0, 10),
  };
}

/** Brokers do not tell their version; one that this process started can be asked for its class path. */
function kafkaVersion(stack: Stack): string {
  const pid = stack.parts?.kafka.pid;
  try {
    const folder = readFileSync(`/proc/${pid}/cmdline`, 'utf8').split('\0').find((part) => part.endsWith('/*'));
    return /^kafka_[\d.]+-(.+)\.jar$/m.exec(readdirSync(folder!.slice(0, -2)).join('\n'))?.[1] ?? 'version unknown';
  } catch {
    return 'version unknown'; // a given broker, a container, or a system without /proc
  }
}

export function machineLines(machine: Machine): string[] {
  const { node, kafka, postgres, cores, processor, memoryGigabytes, loadBefore, date } = machine;
  const lines = [`Node ${node}, Kafka ${kafka}, Postgres ${postgres}`, `${cores} cores (${processor}), ${memoryGigabytes} GB, everything on this machine; ${date}, load before ${loadBefore}`];
  if (loadBefore > IDLE_LOAD) lines.push(`The machine was not idle (load ${loadBefore} > ${IDLE_LOAD}): these figures are not to be published.`);
  return lines;
}
