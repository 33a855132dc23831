import { Injectable } from '@nestjs/common';
import { type Executor, Store, type Tx } from 'factline/store';
import { FREE, type Seat } from './seat.decider.js';

/** A seat of an event, by name. */
export interface SeatPlace {
  readonly eventId: string;
  readonly seat: string;
}

/** What is read of a seat to decide about it. */
export interface FoundSeat {
  readonly seat: Seat;
  readonly priceCents: number;
  readonly currency: string;
  /** The command that will release it. */
  readonly expiryJob: string | null;
  /** By the clock of the database, after the row was got hold of: milliseconds since 1970. */
  readonly at: number;
}

/** Whether the row is only looked at, waited for, or given up when somebody else has it. */
export type Hold = '' | 'for update' | 'for update skip locked';

interface Row {
  status: Seat['status'];
  lockId: string;
  customerId: string;
  lockedUntil: Date;
  expiryJob: string | null;
  priceCents: number;
  currency: string;
  now: Date;
}

/** How the key of topic and queues names a seat. Neither name has a slash. */
export const idOf = ({ eventId, seat }: SeatPlace): string => `${eventId}/${seat}`;

/** What `idOf` put together. */
export function placeOf(id: string): SeatPlace {
  const slash = id.indexOf('/');
  return { eventId: id.slice(0, slash), seat: id.slice(slash + 1) };
}

@Injectable()
export class SeatsRepository {
  constructor(private readonly store: Store) {}

  /** The time is taken outside of what waits for the row, or it would be that of the beginning of the wait. */
  async find({ eventId, seat }: SeatPlace, hold: Hold, db: Executor = this.store): Promise<FoundSeat | undefined> {
    const { rows } = await db.query<Row>(
      `with held as materialized (select * from seat where event_id = $1 and name = $2 ${hold})
       select status, lock_id as "lockId", customer_id as "customerId", locked_until as "lockedUntil", expiry_job as "expiryJob", price_cents::float8 as "priceCents", currency, clock_timestamp() as now
       from held join event on event.id = held.event_id`,
      [eventId, seat],
      `ticketing.seat_find ${hold}`.trimEnd(),
    );
    return rows.map(found)[0];
  }

  /** Of a row that this transaction holds. */
  async save(tx: Tx, { eventId, seat: name }: SeatPlace, seat: Seat, expiryJob: string | null): Promise<void> {
    const { lockId, customerId } = seat.status === 'free' ? { lockId: null, customerId: null } : seat;
    await tx.query(
      'update seat set status = $3, lock_id = $4, customer_id = $5, locked_until = $6, expiry_job = $7 where event_id = $1 and name = $2',
      [eventId, name, seat.status, lockId, customerId, seat.status === 'locked' ? new Date(seat.until) : null, expiryJob],
      'ticketing.seat_save',
    );
  }
}

function found({ status, lockId, customerId, lockedUntil, now, ...rest }: Row): FoundSeat {
  const seat: Seat = status === 'free' ? FREE : status === 'sold' ? { status, lockId, customerId } : { status, lockId, customerId, until: lockedUntil.getTime() };
  return { seat, at: now.getTime(), ...rest };
}
