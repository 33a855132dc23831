import { Injectable } from '@nestjs/common';
import { Commands } from 'factline/commands';
import { type Answer, Idempotency, type RequestContext, answer } from 'factline/nest';
import type { Tx } from 'factline/store';
import { LockSeat } from './contracts.generated.js';
import { type SeatPlace, idOf } from './seats.repository.js';
import { type Sale, type SeatLock, SeatsService } from './seats.service.js';
import { Turnstile } from './turnstile.js';

/** A turn to come: `GET /jobs/<job>` tells the position, and in the end what came of it. */
export interface Waiting {
  job: string;
}

/** What customers ask: each request is one transaction, with the answer to a repeated one. */
@Injectable()
export class LocksService {
  constructor(
    private readonly seats: SeatsService,
    private readonly commands: Commands,
    private readonly idempotency: Idempotency,
    private readonly turnstile: Turnstile,
  ) {}

  /** Locks at once while there is room, else promises a turn. @throws Refusal; FactlineError `command.backlog` (unavailable, with `retryAfterMs`) when as many wait as may. */
  async lock(place: SeatPlace, customerId: string, request: RequestContext): Promise<Answer<SeatLock | Waiting>> {
    const room = await this.turnstile.room(); // before the transaction: it asks on a connection of its own
    return this.idempotency.transaction<SeatLock | Waiting>(request, (tx) => (room ? this.#lockNow(tx, place, customerId, request) : this.#wait(tx, place, customerId, request)));
  }

  purchase(place: SeatPlace, lockId: string, request: RequestContext): Promise<Answer<Sale>> {
    return this.idempotency.transaction(request, async (tx) => {
      const { token, ...sale } = await this.seats.purchase(tx, place, lockId, contextOf(request));
      return answer(sale, { token });
    });
  }

  giveBack(place: SeatPlace, lockId: string, request: RequestContext): Promise<Answer<void>> {
    return this.idempotency.transaction(request, async (tx) => answer(undefined, { status: 204, token: await this.seats.giveBack(tx, place, lockId, contextOf(request)) }));
  }

  async #lockNow(tx: Tx, place: SeatPlace, customerId: string, request: RequestContext): Promise<Answer<SeatLock>> {
    const { token, ...lock } = await this.seats.lock(tx, place, customerId, contextOf(request));
    return answer(lock, { status: 201, token });
  }

  async #wait(tx: Tx, place: SeatPlace, customerId: string, request: RequestContext): Promise<Answer<Waiting>> {
    await this.seats.mustBeFree(tx, place);
    const { job } = await this.commands.send(tx, LockSeat(idOf(place), { customerId }, contextOf(request)));
    tx.onCommit(() => this.turnstile.closed());
    return answer({ job }, { status: 202, location: `/jobs/${job}` });
  }
}

const contextOf = ({ correlationId }: RequestContext) => ({ correlationId });
