import { pause } from 'factline/kernel';
import type { FactLog } from 'factline/log';
import type { Store } from 'factline/store';
import { EMPLOYEE_TOPIC } from '../support/employee-topic.js';
import type { FactReader } from './facts.js';
import type { Fleet } from './fleet.js';
import type { Ground } from './ground.js';
import type { HistoryFile, Position } from './history.js';
import { MODELS } from './models.js';
import { pendingFacts } from './pending.js';

const SAMPLE_EVERY = 500;
const LOOK_EVERY = 250;

/** Follows the topic from its begin, as a stranger would, and writes down what it sees; until aborted. */
export async function followTopic(log: FactLog, reader: FactReader, history: HistoryFile, abort: AbortSignal): Promise<void> {
  const [topic] = await log.describe([EMPLOYEE_TOPIC]);
  await Promise.all(
    topic!.partitions.map((_state, partition) =>
      log.follow({
        topic: EMPLOYEE_TOPIC,
        partition,
        from: { offset: 0 },
        batch: async ({ records }) => {
          for (const record of records) history.write(await reader.onTopic('polled', partition, record));
        },
        disturbed: () => undefined, // it goes on by itself; faults are what this is for
        abort,
      }),
    ),
  );
}

/** Asks every process and the relay's row how they are, twice a second, until aborted. */
export async function sampleAll({ estate }: Ground, fleet: Fleet, history: HistoryFile, abort: AbortSignal): Promise<void> {
  while (!abort.aborted) {
    await fleet.sample();
    const epoch = await estate.store('hr').query<{ epoch: string }>('select epoch from factline.relay').then(
      ({ rows }) => Number(rows[0]!.epoch),
      () => undefined, // the database is away
    );
    if (epoch !== undefined) history.write({ type: 'relay', at: Date.now(), epoch });
    await pause(SAMPLE_EVERY, abort);
  }
}

/** Where each model stands, partition by partition. */
export async function positionsOf(ground: Ground, log: FactLog): Promise<Position[]> {
  const [topic] = await log.describe([EMPLOYEE_TOPIC]);
  const positions: Position[] = [];
  for (const { model, store } of MODELS(ground)) {
    const { rows } = await store.query<{ partition: number; next: string }>(`select partition, next_offset as next from ${model}.checkpoint`);
    topic!.partitions.forEach(({ end }, partition) => {
      positions.push({ type: 'position', model, partition, end, next: Number(rows.find((row) => row.partition === partition)?.next ?? 0) });
    });
  }
  return positions;
}

/** Waits until everything is published and applied, and writes down how long it took, or what is left. */
export async function becomeQuiet(ground: Ground, log: FactLog, history: HistoryFile, withinMs: number): Promise<void> {
  const started = performance.now();
  for (;;) {
    const left = await missing(ground.estate.store('hr'), ground, log).catch((error: unknown) => String(error));
    const tookMs = Math.round(performance.now() - started);
    if (left === '' || tookMs > withinMs) {
      history.write({ type: 'quiet', reached: left === '', tookMs, withinMs, left });
      return;
    }
    await pause(LOOK_EVERY);
  }
}

async function missing(hr: Store, ground: Ground, log: FactLog): Promise<string> {
  const pending = [...(await pendingFacts(hr)), ...(await pendingFacts(ground.payslips.store))];
  if (pending.length > 0) return `${pending.length} facts wait in the outbox`;
  return (await positionsOf(ground, log))
    .filter(({ next, end }) => next < end)
    .map(({ model, partition, next, end }) => `${model}[${partition}] stands at ${next} of ${end}`)
    .join('; ');
}
