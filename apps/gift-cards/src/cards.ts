import { Injectable } from '@nestjs/common';
import { FactOutbox } from 'factline/outbox';
import { type Migration, Store, type Tx } from 'factline/store';
import { GiftCardIssued } from './contracts.generated.js';

export const cardMigrations: readonly Migration[] = [
  {
    name: 'gift cards',
    sql: `
create table gift_card (
  week date not null,
  employee_id text not null,
  amount_cents integer not null,
  currency text not null,
  primary key (week, employee_id)
);`,
  },
];

const CARD = { amountCents: 5_000, currency: 'EUR' };
/** Facts of one statement; the outbox takes 1,000. */
const TOGETHER = 1_000;
const DAY_MS = 86_400_000;

export interface GiftCard {
  employeeId: string;
  week: string;
  amountCents: number;
  currency: string;
}

@Injectable()
export class Cards {
  constructor(
    private readonly store: Store,
    private readonly outbox: FactOutbox,
  ) {}

  /** A card of this week for everybody who is employed and has none, each with its fact, all or none. @returns how many. */
  async issue(tx: Tx, week: string): Promise<number> {
    const { rows } = await tx.query<{ employee_id: string }>(
      `insert into gift_card (week, employee_id, amount_cents, currency) select $1, employee_id, $2, $3 from diners.diners
       on conflict do nothing returning employee_id`,
      [week, CARD.amountCents, CARD.currency],
    );
    const days = Date.parse(week) / DAY_MS;
    for (let at = 0; at < rows.length; at += TOGETHER) {
      await this.outbox.addMany(tx, rows.slice(at, at + TOGETHER).map((row) => GiftCardIssued(row.employee_id, { week: days, ...CARD })));
    }
    return rows.length;
  }

  /** Of one week, in the order of employees, behind `after`. */
  async list(week: string, after: string, rows: number): Promise<GiftCard[]> {
    const found = await this.store.query<GiftCard>(
      `select employee_id as "employeeId", week::text, amount_cents as "amountCents", currency from gift_card where week = $1 and employee_id > $2 order by employee_id limit $3`,
      [week, after, rows],
    );
    return found.rows;
  }
}
