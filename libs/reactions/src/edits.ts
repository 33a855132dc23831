import type { DeadLetter } from 'factline/consumer';
import type { FactDecoder, FactMeta } from 'factline/contracts';
import type { LogRecord } from 'factline/log';
import type { Executor } from 'factline/store';
import { itemOf } from './item.js';
import type { Item, KeyState } from './key-state.js';
import type { Reactions } from './reaction.js';

/** What a person put in the place of a fact that cannot be handled. The log keeps the original. */
export interface Edit {
  readonly fact: string;
  readonly data: object;
  readonly by: string;
}

/** The last edit of the fact at this place, if any. */
export async function readEdit(db: Executor, subscription: string, { topic, partition, offset }: Pick<DeadLetter, 'topic' | 'partition' | 'offset'>): Promise<Edit | undefined> {
  const { rows } = await db.query<Edit>(
    'select fact, data, edited_by as by from factline.edited_fact where subscription = $1 and topic = $2 and partition = $3 and record_offset = $4 order by number desc limit 1',
    [subscription, topic, partition, offset],
  );
  return rows[0];
}

/** The edited fact in the place of the original. What cannot be read of the original's metadata is what it must have been: the next of its key. */
export function editedItem({ fact: name, data, by }: Edit, record: LogRecord, key: KeyState, decoder: FactDecoder, reactions: Reactions): Item {
  const { error: _error, ...original } = itemOf(record, key, decoder, reactions);
  const handler = reactions.handlers.get(name);
  const sequence = original.sequence || key.seen + 1;
  const meta: FactMeta = original.fact?.meta ?? { id: `${record.offset}`, sequence, occurredAt: record.timestamp * 1_000, correlationId: `edit of offset ${record.offset}`, causationId: `edit of offset ${record.offset}`, actor: by };
  return { ...original, sequence, ...(handler && { handler, fact: { name, key: key.key, meta, data } }) };
}

/** What differs, by path: for those who look later why a fact was handled as it was. */
export function differences(before: unknown, after: unknown, path = ''): { path: string; from: unknown; to: unknown }[] {
  if (JSON.stringify(before) === JSON.stringify(after)) return [];
  if (!isObject(before) || !isObject(after)) return [{ path, from: before ?? null, to: after ?? null }];
  const names = [...new Set([...Object.keys(before), ...Object.keys(after)])];
  return names.flatMap((name) => differences(before[name], after[name], path === '' ? name : `${path}.${name}`));
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
