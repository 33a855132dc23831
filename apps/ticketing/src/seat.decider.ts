import type { Fact } from 'factline/contracts';
import { Refusal } from 'factline/kernel';
import { TicketLocked, type TicketLockedData, TicketReleased, type TicketReleasedData, TicketSold, type TicketSoldData } from './contracts.generated.js';

/*
 * The rules of a seat, and nothing else: no database, no clock, no ids of their own. `decide` says which facts a command makes true, or why not; `evolve` what is known after a
 * fact. Times are milliseconds since 1970.
 */

export type Seat =
  | { readonly status: 'free' }
  | { readonly status: 'locked'; readonly lockId: string; readonly customerId: string; readonly until: number }
  | { readonly status: 'sold'; readonly lockId: string; readonly customerId: string };

type Locked = Extract<Seat, { status: 'locked' }>;

export const FREE: Seat = { status: 'free' };

export type SeatFact = Fact<TicketLockedData> | Fact<TicketReleasedData> | Fact<TicketSoldData>;

interface Lock {
  readonly do: 'lock';
  readonly lockId: string;
  readonly customerId: string;
  readonly at: number;
  readonly until: number;
}

interface Purchase {
  readonly do: 'purchase';
  readonly lockId: string;
  readonly at: number;
  readonly priceCents: number;
  readonly currency: string;
}

/** The end of a lock names no time: whoever says that it has expired has waited for that, and the lock's id says whether there is still something to release. */
interface Release {
  readonly do: 'release';
  readonly lockId: string;
  readonly reason: 'expired' | 'given-back';
}

export type SeatCommand = Lock | Purchase | Release;

/** What a command makes true of a seat, or why not. */
export function decide(id: string, seat: Seat, command: SeatCommand): readonly SeatFact[] | Refusal {
  if (command.do === 'lock') return lock(id, seat, command);
  const held = heldBy(id, seat, command.lockId);
  if (held instanceof Refusal) return held;
  return command.do === 'purchase' ? purchase(id, held, command) : [released(id, held, command.reason)];
}

/** Why nobody can lock the seat now; undefined: somebody can. By a lock whose time is over nobody can buy: its release is only late, for Kafka may be away. */
export function refusalToLock(id: string, seat: Seat, at: number): Refusal | undefined {
  return seat.status === 'free' || (seat.status === 'locked' && seat.until <= at) ? undefined : taken(id);
}

function lock(id: string, seat: Seat, { lockId, customerId, at, until }: Lock): readonly SeatFact[] | Refusal {
  const locked = TicketLocked(id, { lockId, customerId, lockedUntil: until * 1_000 });
  return refusalToLock(id, seat, at) ?? (seat.status === 'locked' ? [released(id, seat, 'expired'), locked] : [locked]);
}

function purchase(id: string, { lockId, customerId, until }: Locked, { at, priceCents, currency }: Purchase): readonly SeatFact[] | Refusal {
  if (until <= at) return expired(id);
  return [TicketSold(id, { lockId, customerId, priceCents, currency, soldAt: at * 1_000 })];
}

function heldBy(id: string, seat: Seat, lockId: string): Locked | Refusal {
  if (seat.status === 'free' || seat.lockId !== lockId) return unknownLock(id);
  return seat.status === 'sold' ? sold(id) : seat;
}

function released(id: string, { lockId, customerId }: Locked, reason: Release['reason']): SeatFact {
  return TicketReleased(id, { lockId, customerId, reason });
}

/** The seat after a fact. */
export function evolve(_before: Seat, { data }: SeatFact): Seat {
  if ('lockedUntil' in data) return { status: 'locked', lockId: data.lockId, customerId: data.customerId, until: data.lockedUntil / 1_000 };
  if ('soldAt' in data) return { status: 'sold', lockId: data.lockId, customerId: data.customerId };
  return FREE;
}

export const unknown = (id: string) => new Refusal({ code: 'seat.unknown', kind: 'not-found', message: `There is no seat '${id}'.`, advice: 'Check the event and the seat.' });
export const taken = (id: string) => new Refusal({ code: 'seat.taken', kind: 'conflict', message: `Somebody else has the seat '${id}', or is taking it now.`, advice: 'Take another one, or ask again when it is free.' });
export const expired = (id: string) => new Refusal({ code: 'lock.expired', kind: 'conflict', message: `The time of this lock of the seat '${id}' is over.`, advice: 'Lock the seat again, if nobody else has it.' });
const unknownLock = (id: string) => new Refusal({ code: 'lock.unknown', kind: 'not-found', message: `No such lock holds the seat '${id}', or not any more.`, advice: 'Lock the seat again, if nobody else has it.' });
const sold = (id: string) => new Refusal({ code: 'seat.sold', kind: 'conflict', message: `The seat '${id}' was bought by this lock already.`, advice: 'Do not take the money again.' });
