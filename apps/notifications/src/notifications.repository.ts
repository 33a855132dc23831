import { Injectable } from '@nestjs/common';
import { type Migration, Store, type Tx } from 'factline/store';
import type { Template } from './templates.js';

export const notificationMigrations: readonly Migration[] = [
  {
    name: 'notifications',
    sql: `
create table notification (
  id text collate "C" primary key,
  customer_id text collate "C" not null,
  channel text not null,
  template text not null,
  cause_id text not null,
  state text not null check (state in ('ASKED', 'SENT', 'FAILED')),
  reason text,
  message_id text,
  asked_at timestamptz not null default clock_timestamp(),
  ended_at timestamptz
);
create index notification_of_customer on notification (customer_id, id);`,
  },
];

export interface Notification {
  /** The job that sends it: GET /jobs/:id. Of one that was never asked for, an id of its own. */
  id: string;
  customerId: string;
  channel: 'EMAIL' | 'SMS';
  template: Template;
  causeId: string;
}

export interface NotificationStatus extends Notification {
  state: 'ASKED' | 'SENT' | 'FAILED';
  reason: string | null;
  messageId: string | null;
  askedAt: string;
  endedAt: string | null;
}

type Row = Omit<NotificationStatus, 'askedAt' | 'endedAt'> & { askedAt: Date; endedAt: Date | null };

const LIST = `select id, customer_id as "customerId", channel, template, cause_id as "causeId", state, reason, message_id as "messageId", asked_at as "askedAt", ended_at as "endedAt"
  from notification where id > $1 and ($3::text is null or customer_id = $3) order by id limit $2`;

/** What customers were told, or not, for those whom they ask: without addresses and texts. */
@Injectable()
export class NotificationsRepository {
  constructor(private readonly store: Store) {}

  async asked(tx: Tx, { id, customerId, channel, template, causeId }: Notification): Promise<void> {
    await tx.query("insert into notification (id, customer_id, channel, template, cause_id, state) values ($1, $2, $3, $4, $5, 'ASKED')", [id, customerId, channel, template, causeId], 'notifications.asked');
  }

  /** One that another app asked for is seen here first. */
  async ended(tx: Tx, { id, customerId, channel, template, causeId }: Notification, end: { state: 'SENT'; messageId: string } | { state: 'FAILED'; reason: string }): Promise<void> {
    await tx.query(
      `insert into notification (id, customer_id, channel, template, cause_id, state, reason, message_id, ended_at) values ($1, $2, $3, $4, $5, $6, $7, $8, clock_timestamp())
       on conflict (id) do update set state = excluded.state, reason = excluded.reason, message_id = excluded.message_id, ended_at = excluded.ended_at`,
      [id, customerId, channel, template, causeId, end.state, end.state === 'FAILED' ? end.reason : null, end.state === 'SENT' ? end.messageId : null],
      'notifications.ended',
    );
  }

  /** In the order in which they were asked for, behind `after`. */
  async list(customerId: string | undefined, after: string, rows: number): Promise<NotificationStatus[]> {
    const found = await this.store.query<Row>(LIST, [after, rows, customerId ?? null]);
    return found.rows.map((row) => ({ ...row, askedAt: row.askedAt.toISOString(), endedAt: row.endedAt?.toISOString() ?? null }));
  }
}
