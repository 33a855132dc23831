import { Injectable } from '@nestjs/common';
import { Store, type Tx } from 'factline/store';

export interface TicketedEvent {
  id: string;
  name: string;
  /** Of each seat, in hundredths of the currency. */
  priceCents: number;
  currency: string;
}

export interface SeatCounts {
  free: number;
  locked: number;
  sold: number;
}

/** Who has it is nobody's business, and whoever knows the lock can buy by it. */
export interface ListedSeat {
  seat: string;
  status: 'free' | 'locked' | 'sold';
  /** null: it is not locked. */
  lockedUntil: string | null;
}

/** A lock whose time is over holds nobody off, also before its release has run. */
const LOCKED = `(status = 'locked' and locked_until > clock_timestamp())`;

@Injectable()
export class EventsRepository {
  constructor(private readonly store: Store) {}

  /** @returns false: there is one of this id already. */
  async create(tx: Tx, { id, name, priceCents, currency }: TicketedEvent, seats: readonly string[]): Promise<boolean> {
    const { rowCount } = await tx.query('insert into event (id, name, price_cents, currency) values ($1, $2, $3, $4) on conflict do nothing', [id, name, priceCents, currency]);
    if (rowCount === 1) await tx.query('insert into seat (event_id, name) select $1, unnest($2::text[])', [id, seats]);
    return rowCount === 1;
  }

  async find(id: string): Promise<(TicketedEvent & { seats: SeatCounts }) | undefined> {
    const { rows } = await this.store.query<TicketedEvent & SeatCounts>(
      `select e.id, e.name, price_cents::float8 as "priceCents", currency, free, locked, sold from event e,
         lateral (select count(*) filter (where status <> 'sold' and not ${LOCKED})::integer as free, count(*) filter (where ${LOCKED})::integer as locked, count(*) filter (where status = 'sold')::integer as sold
                  from seat where event_id = e.id) as counts where e.id = $1`,
      [id],
    );
    const [row] = rows;
    if (!row) return undefined;
    const { free, locked, sold, ...event } = row;
    return { ...event, seats: { free, locked, sold } };
  }

  /** In the order of their names, behind `after`. */
  async seats(eventId: string, after: string, count: number): Promise<ListedSeat[]> {
    const { rows } = await this.store.query<Omit<ListedSeat, 'lockedUntil'> & { lockedUntil: Date | null }>(
      `select name as seat, case when status = 'sold' then 'sold' when ${LOCKED} then 'locked' else 'free' end as status, case when ${LOCKED} then locked_until end as "lockedUntil"
       from seat where event_id = $1 and name > $2 order by name limit $3`,
      [eventId, after, count],
    );
    return rows.map((row) => ({ ...row, lockedUntil: row.lockedUntil?.toISOString() ?? null }));
  }
}
