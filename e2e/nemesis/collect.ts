import type { FactLog } from 'factline/log';
import type { Store } from 'factline/store';
import { EMPLOYEE_TOPIC } from '../support/employee-topic.js';
import type { FactReader } from './facts.js';
import type { Ground } from './ground.js';
import type { Event, HistoryFile, Redriven } from './history.js';
import { MODELS, type Model } from './models.js';
import { positionsOf } from './observe.js';
import { PAYSLIP_TOPIC } from './payslips.js';
import { pendingFacts } from './pending.js';

/** Writes down what is there at the end: the topic, the outbox's audit, and every read model with its journal. */
export async function collect(ground: Ground, log: FactLog, reader: FactReader, history: HistoryFile): Promise<void> {
  await scanTopic(log, reader, EMPLOYEE_TOPIC, history);
  await collectFacts(ground.estate.store('hr'), reader, history);
  for (const { key, sequence } of await pendingFacts(ground.estate.store('hr'))) history.write({ type: 'pending', key, sequence });
  for (const model of MODELS(ground)) await collectModel(model, history);
  await collectReaction(ground, log, reader, history);
  for (const position of await positionsOf(ground, log)) history.write(position);
  const { rows: purged } = await ground.estate.store('payroll').query<{ model: string; partition: number; offsets: string[] }>('select projection as model, partition, offsets from factline.purged_dead_letter');
  for (const { model, partition, offsets } of purged) for (const offset of offsets) history.write({ type: 'skipped', model, partition, offset: Number(offset) });
}

/** What the reaction stated, and its re-drives. */
async function collectReaction({ payslips: { store } }: Ground, log: FactLog, reader: FactReader, history: Pick<HistoryFile, 'write'>): Promise<void> {
  for (const { key, sequence } of await pendingFacts(store)) history.write({ type: 'pending', key: `payslip of ${key}`, sequence });
  await scanCaused(log, reader, PAYSLIP_TOPIC, history);
  const { rows } = await store.query<Omit<Redriven, 'type'>>('select state, keys, tried, failed, facts::float8 as facts from factline.redrive order by id');
  for (const row of rows) history.write({ type: 'redriven', ...row });
}

export async function scanCaused(log: FactLog, reader: FactReader, topic: string, history: Pick<HistoryFile, 'write'>): Promise<void> {
  const [state] = await log.describe([topic]);
  let count = 0;
  await log.read({
    topic,
    ranges: state!.partitions.map(({ start, end }, partition) => ({ partition, from: start, to: end })),
    batch: async ({ partition, records }) => {
      for (const { offset, key, value } of records) {
        const fact = value && (await reader.read(value));
        history.write({ type: 'caused', partition, offset, key: key.toString(), id: fact?.id ?? '', sequence: fact?.sequence ?? 0, cause: fact?.cause ?? '' });
        count++;
      }
    },
  });
  history.write({ type: 'caused-scanned', records: count });
}

export async function scanTopic(log: FactLog, reader: FactReader, topic: string, history: Pick<HistoryFile, 'write'>): Promise<void> {
  const [state] = await log.describe([topic]);
  await log.read({
    topic,
    ranges: state!.partitions.map(({ start, end }, partition) => ({ partition, from: start, to: end })),
    batch: async ({ partition, records }) => {
      for (const record of records) history.write(await reader.onTopic('record', partition, record));
    },
  });
}

export async function collectFacts(store: Store, reader: FactReader, history: Pick<HistoryFile, 'write'>): Promise<void> {
  const { rows } = await store.query<{ key: string; sequence: string; value: Buffer }>('select key, sequence, value from nemesis.fact order by n');
  for (const { key, sequence, value } of rows) {
    const fact = await reader.read(value);
    history.write({ type: 'committed', key, sequence: Number(sequence), id: fact?.id ?? '', value: fact?.value ?? null });
  }
}

interface JournalRow {
  n: string;
  kind: 'applied' | 'parked' | 'released' | 'advanced';
  key: string;
  sequence: string;
  partition: number;
  a: string;
  b: string;
  epoch: string;
  generation: number;
  tx: string;
}

export async function collectModel({ model, store, key, sequence, columns }: Model, history: Pick<HistoryFile, 'write'>): Promise<void> {
  const { rows: journal } = await store.query<JournalRow>('select n, kind, key, sequence, partition, a, b, epoch, generation, tx from nemesis.journal order by n');
  for (const row of journal) history.write(eventOf(model, row));
  const { rows } = await store.query<{ key: string; sequence: string }>(`select ${key} as key, ${sequence} as sequence, ${columns} from ${model}.${model}`);
  for (const row of rows) history.write({ type: 'row', model, ...row, sequence: Number(row.sequence) });
}

function eventOf(model: string, { n, kind, key, sequence, partition, a, b, epoch, generation, tx }: JournalRow): Event {
  const place = { order: Number(n), model };
  if (kind === 'applied') return { type: kind, ...place, key, sequence: Number(sequence), tx };
  if (kind === 'advanced') return { type: kind, ...place, partition, from: Number(a), to: Number(b), epoch: Number(epoch), generation };
  return { type: kind, ...place, partition, offset: Number(a), key, tx };
}
