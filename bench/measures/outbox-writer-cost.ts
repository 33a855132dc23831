import { FactOutbox } from 'factline/outbox';
import { factMaker } from '../employees.js';
import { type Measure, measured, median, perSecond } from '../measurement.js';
import { PARTITIONS, type Scene, openScene } from '../scene.js';

const CLIENTS = 8;
const KEYS = 100_000;
const FLOOR_PERCENT = 35;
const INSERT = 'insert into business (employee_id, note, amount) values ($1, $2, $3)';

const WAYS = ['without', 'with', 'pipelined'] as const;
type Way = (typeof WAYS)[number];

/** Each way twice in a round, at the same distance from its middle. */
const ORDER: readonly Way[] = [...WAYS, ...WAYS.toReversed()];
const BLOCK_MS = 800;

/**
 * What stating a fact costs a writer: 8 clients run small transactions with and without `outbox.add`. Of each round of 5 s its own cost, and of those the median: the speed of
 * a shared machine drifts by a third within a minute, and moved the cost by ten points when the rates of half a minute were compared. The figure is for row and fact
 * sent together, as apps/hr does; the detail has the cost when each statement is awaited before the next.
 */
export const outboxWriterCost: Measure = async ({ world, quick, say }) => {
  const scene = await openScene(world, 'writers');
  await scene.store.query('create table business (id bigint generated always as identity primary key, employee_id text not null, note text not null, amount bigint not null)');
  const outbox = new FactOutbox({ store: scene.store, schemaIds: scene.schemas });
  outbox.start();
  const rates: Record<Way, number[]> = { without: [], with: [], pipelined: [] };
  const counts: Record<Way, number> = { without: 0, with: 0, pipelined: 0 };
  for (const way of ORDER) await block(scene, outbox, way, BLOCK_MS, counts); // warms up the code, the pool and the tables
  for (let round = 0; round < (quick ? 2 : 14); round++) {
    const seen: Record<Way, number> = { without: 0, with: 0, pipelined: 0 };
    for (const way of ORDER) seen[way] += (await block(scene, outbox, way, BLOCK_MS, counts)) / 2;
    for (const way of WAYS) rates[way].push(seen[way]);
    say(`outbox-writer-cost: ${Math.round(seen.without)} tx/s without, ${Math.round(seen.pipelined)} with outbox`);
  }
  await outbox.stop();
  const without = median(rates.without);
  const cost = (way: Way) => median(rates[way].map((rate, round) => (1 - rate / rates.without[round]!) * 100));
  return [
    {
      ...measured({
        name: 'outbox-writer-cost',
        value: cost('pipelined'),
        unit: '%',
        ceiling: null,
        floor: FLOOR_PERCENT,
        faults: await faultsOf(scene, counts),
        detail: {
          transactionsPerSecondWithout: Math.round(without),
          transactionsPerSecondWith: Math.round(median(rates.pipelined)),
          costWhenEachStatementIsAwaitedPercent: Math.round(cost('with') * 10) / 10,
          rounds: rates.with.length,
        },
      }),
      ceiling: Math.round(without),
      ceilingName: 'the same transactions without outbox, tx/s',
      ratio: Math.round(1_000 - cost('pipelined') * 10) / 1_000,
    },
  ];
};

async function block({ store, topic }: Scene, outbox: FactOutbox, way: Way, ms: number, counts: Record<Way, number>): Promise<number> {
  const fact = factMaker(topic, PARTITIONS, { keys: KEYS, each: Number.MAX_SAFE_INTEGER });
  const started = performance.now();
  let done = 0;
  const client = async () => {
    while (performance.now() - started < ms) {
      const stated = fact(Math.floor(Math.random() * KEYS), 3);
      await store.transaction(async (tx) => {
        const inserted = tx.query(INSERT, [stated.key, 'a business row of this size', done], 'business');
        if (way !== 'pipelined') await inserted;
        if (way === 'without') return;
        await Promise.all([inserted, outbox.add(tx, stated)]);
      });
      done++;
    }
  };
  await Promise.all(Array.from({ length: CLIENTS }, client));
  counts[way] += done;
  return perSecond(done, performance.now() - started);
}

/** One business row per transaction, one outbox row per transaction with outbox, and each key numbered without holes. */
async function faultsOf({ store }: Scene, counts: Record<Way, number>): Promise<string[]> {
  const { rows } = await store.query<{ business: number; stated: number; broken: number }>(
    `select (select count(*) from business)::integer as business, (select count(*) from factline.outbox)::integer as stated,
       (select count(*) from (select from factline.outbox group by key having count(distinct sequence) <> max(sequence) or min(sequence) <> 1) k)::integer as broken`,
  );
  const { business, stated, broken } = rows[0]!;
  const faults: string[] = [];
  if (business !== counts.without + counts.with + counts.pipelined) faults.push(`${business} business rows for ${counts.without + counts.with + counts.pipelined} transactions`);
  if (stated !== counts.with + counts.pipelined) faults.push(`${stated} outbox rows for ${counts.with + counts.pipelined} transactions`);
  if (broken > 0) faults.push(`${broken} keys are not numbered 1, 2, 3 ...`);
  return faults;
}
