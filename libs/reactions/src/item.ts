import { type FactDecoder, factIdOf, sequenceOf } from 'factline/contracts';
import type { LogRecord } from 'factline/log';
import type { Item, KeyState } from './key-state.js';
import type { Reactions } from './reaction.js';
import { asFactlineError, unnumbered, unowned } from './verdict.js';

/** A record as its key waits with it: read as far as it is selected, or with the reason why it cannot be. */
export function itemOf(record: LogRecord, key: KeyState, decoder: FactDecoder, reactions: Reactions): Item {
  let sequence = 0;
  let factId: Buffer | null = null;
  try {
    if (key.key === '') throw unowned(`offset ${record.offset}`);
    sequence = sequenceOf(record.value);
    factId = Buffer.from(factIdOf(record.value));
    if (sequence === 0) throw unnumbered(`offset ${record.offset}`); // taken for a position it would set the key back
    const fact = decoder.decode(key.key, record.value);
    const handler = fact && reactions.handlers.get(fact.name);
    return { key, record, sequence, factId, ...(handler && fact && { handler, fact }), finished: false };
  } catch (error) {
    return { key, record, sequence, factId, error: asFactlineError(error, reactions.name), finished: false };
  }
}
