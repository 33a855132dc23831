import { Inject, Injectable } from '@nestjs/common';
import { Commands } from 'factline/commands';
import type { FactContext } from 'factline/contracts';
import { FactlineError, Refusal, formatId, newId } from 'factline/kernel';
import { SERVICE_CONFIG } from 'factline/nest';
import { FactOutbox } from 'factline/outbox';
import type { Tx } from 'factline/store';
import type { TicketingConfig } from './config.js';
import { ReleaseExpired } from './contracts.generated.js';
import { type SeatCommand, decide, evolve, expired, refusalToLock, taken, unknown } from './seat.decider.js';
import { type FoundSeat, type Hold, type SeatPlace, SeatsRepository, idOf, placeOf } from './seats.repository.js';

export interface SeatLock {
  lockId: string;
  lockedUntil: string;
}

export interface Sale {
  lockId: string;
  priceCents: number;
  currency: string;
  soldAt: string;
}

/** What came of a command, for who looks at its job: what was done, or the code of the refusal. */
export type Outcome<Done extends object = object> = ({ outcome: 'locked' | 'released' } & Done) | { outcome: string };

/** Runs the decider in an open transaction: the row of the seat is held, then it is written with its facts and the command that ends the lock. */
@Injectable()
export class SeatsService {
  constructor(
    private readonly seats: SeatsRepository,
    private readonly outbox: FactOutbox,
    private readonly commands: Commands,
    @Inject(SERVICE_CONFIG) private readonly config: TicketingConfig,
  ) {}

  /** For one of a crowd: who comes too late only looks, and nobody waits for the row: whoever finds it held is told that the seat is taken. @throws Refusal */
  async lock(tx: Tx, place: SeatPlace, customerId: string, context: FactContext): Promise<SeatLock & { token: string }> {
    await this.mustBeFree(tx, place);
    const found = await this.seats.find(place, 'for update skip locked', tx);
    if (!found) throw taken(idOf(place));
    return this.#lock(tx, place, found, customerId, context);
  }

  /** For one whose turn has come, and who waits the moment that the row is held. */
  lockInTurn(tx: Tx, { seatId, customerId }: { seatId: string; customerId: string }): Promise<Outcome<SeatLock>> {
    return outcomeOf(async () => {
      const place = placeOf(seatId);
      const { lockId, lockedUntil } = await this.#lock(tx, place, await this.#find(tx, place, 'for update'), customerId);
      return { outcome: 'locked', lockId, lockedUntil };
    });
  }

  /** The time of a lock is over. */
  release(tx: Tx, { seatId, lockId }: { seatId: string; lockId: string }): Promise<Outcome> {
    return outcomeOf(async () => {
      const place = placeOf(seatId);
      await this.#apply(tx, place, await this.#find(tx, place, 'for update'), { do: 'release', lockId, reason: 'expired' });
      return { outcome: 'released' };
    });
  }

  /** By a look that holds nobody up. @throws Refusal */
  async mustBeFree(tx: Tx, place: SeatPlace): Promise<void> {
    const { seat, at } = await this.#find(tx, place, '');
    const refusal = refusalToLock(idOf(place), seat, at);
    if (refusal) throw refusal;
  }

  /** In the time of the lock, by the clock of the database: also when the release has not run yet. @throws Refusal */
  async purchase(tx: Tx, place: SeatPlace, lockId: string, context: FactContext): Promise<Sale & { token: string }> {
    const found = await this.#find(tx, place, 'for update');
    const { at, priceCents, currency } = found;
    const token = await this.#apply(tx, place, found, { do: 'purchase', lockId, at, priceCents, currency }, context);
    await this.#takeBackRelease(tx, place, found);
    return { lockId, priceCents, currency, soldAt: new Date(at).toISOString(), token };
  }

  /** @throws Refusal */
  async giveBack(tx: Tx, place: SeatPlace, lockId: string, context: FactContext): Promise<string> {
    const found = await this.#find(tx, place, 'for update');
    const token = await this.#apply(tx, place, found, { do: 'release', lockId, reason: 'given-back' }, context);
    await this.#takeBackRelease(tx, place, found);
    return token;
  }

  async #lock(tx: Tx, place: SeatPlace, found: FoundSeat, customerId: string, context?: FactContext): Promise<SeatLock & { token: string }> {
    const lockId = formatId(newId());
    const until = found.at + this.config.lockMs;
    const token = await this.#apply(tx, place, found, { do: 'lock', lockId, customerId, at: found.at, until }, context);
    return { lockId, lockedUntil: new Date(until).toISOString(), token };
  }

  async #find(tx: Tx, place: SeatPlace, hold: Hold): Promise<FoundSeat> {
    const found = await this.seats.find(place, hold, tx);
    if (found) return found;
    throw unknown(idOf(place));
  }

  /** Row, facts and the command to release what was locked: one commit. @returns the token of the last fact. */
  async #apply(tx: Tx, place: SeatPlace, { seat }: FoundSeat, command: SeatCommand, context: FactContext = {}): Promise<string> {
    const id = idOf(place);
    const facts = decide(id, seat, command);
    if (facts instanceof Refusal) throw facts;
    const job = command.do === 'lock' ? (await this.commands.send(tx, ReleaseExpired(id, { lockId: command.lockId }, context), { notBefore: this.config.lockMs })).job : null;
    await this.seats.save(tx, place, facts.reduce(evolve, seat), job);
    const stated = await this.outbox.addMany(tx, facts.map((fact) => ({ ...fact, context })));
    return stated.at(-1)!.token;
  }

  /** A release that runs just now waits for this seat, and will have it: the time is over. What an operator gave up needs no taking back. */
  async #takeBackRelease(tx: Tx, place: SeatPlace, { expiryJob }: FoundSeat): Promise<void> {
    try {
      await this.commands.cancel(tx, expiryJob!);
    } catch (error) {
      const code = error instanceof FactlineError ? error.code : undefined;
      if (code === 'job.running') throw expired(idOf(place));
      if (code !== 'job.finished' && code !== 'job.unknown') throw error;
    }
  }
}

/** A rule's no is a result, and no failure that somebody would have to repair. Rules are asked before anything is written. */
async function outcomeOf<Done>(work: () => Promise<Done>): Promise<Done | { outcome: string }> {
  try {
    return await work();
  } catch (error) {
    if (error instanceof Refusal) return { outcome: error.code };
    throw error;
  }
}
