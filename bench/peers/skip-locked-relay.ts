import type { OutgoingRecord } from 'factline/log';
import pg from 'pg';
import { rawProducer } from '../ceilings.js';

/** The batch at which this loop was fastest here; with 100 rows it takes twice as long. */
const BATCH_ROWS = 1_000;

/**
 * The relay that most teams write first: select the oldest rows FOR UPDATE SKIP LOCKED, send them, await the acknowledgement, delete them, commit.
 * @returns milliseconds from the first select to the commit of the last delete.
 */
export async function drainSkipLocked(databaseUrl: string, brokers: readonly string[], topic: string, records: readonly OutgoingRecord[]): Promise<number> {
  const client = new pg.Client(databaseUrl);
  await client.connect();
  await client.query('create table naive_outbox (id bigint generated always as identity primary key, key text not null, value bytea not null)');
  for (let at = 0; at < records.length; at += BATCH_ROWS) {
    const some = records.slice(at, at + BATCH_ROWS);
    await client.query('insert into naive_outbox (key, value) select * from unnest($1::text[], $2::bytea[])', [some.map(({ key }) => key.toString()), some.map(({ value }) => value)]);
  }
  await client.query('analyze naive_outbox');
  const producer = await rawProducer(brokers);
  const started = performance.now();
  for (;;) {
    await client.query('begin');
    const { rows } = await client.query<{ id: string; key: string; value: Buffer }>({
      name: 'take',
      text: 'select id, key, value from naive_outbox order by id limit $1 for update skip locked',
      values: [BATCH_ROWS],
    });
    if (rows.length > 0) {
      await producer.send({ topic, acks: -1, messages: rows.map(({ key, value }) => ({ key, value })) });
      await client.query({ name: 'delete', text: 'delete from naive_outbox where id = any($1::bigint[])', values: [rows.map(({ id }) => id)] });
    }
    await client.query('commit');
    if (rows.length === 0) break;
  }
  const ms = performance.now() - started;
  await producer.disconnect();
  await client.end();
  return ms;
}
