import { Injectable } from '@nestjs/common';
import { FactlineError, Refusal } from 'factline/kernel';
import { type Answer, Idempotency, type RequestContext, answer } from 'factline/nest';
import { FactOutbox } from 'factline/outbox';
import { type Order, type OrderCommand, decide, evolve, unknown } from './order.decider.js';
import { OrdersRepository } from './orders.repository.js';

/** Runs the decider: every command is one transaction with the next version of the order, its fact, and the answer to a repeated request. */
@Injectable()
export class OrdersService {
  constructor(
    private readonly orders: OrdersRepository,
    private readonly outbox: FactOutbox,
    private readonly idempotency: Idempotency,
  ) {}

  /** @throws Refusal what the decider says; FactlineError `order.changed` (conflict, worth a retry) when somebody else was first. */
  handle(id: string, command: OrderCommand, request: RequestContext): Promise<Answer<Order>> {
    return this.idempotency.transaction(request, async (tx) => {
      const before = await this.orders.find(id, tx);
      if (before) request.assertVersion(before.version);
      const fact = decide(id, before, command);
      if (fact instanceof Refusal) throw fact;
      const after = evolve(before, fact);
      // Row and fact travel together: one round trip less in each transaction. A refusal undoes both.
      const [saved, { token }] = await Promise.all([this.orders.save(tx, after), this.outbox.add(tx, { ...fact, context: { correlationId: request.correlationId } })]);
      if (!saved) throw changed(id);
      return answer(after, { version: after.version, token, ...(!before && { status: 201, location: `/orders/${encodeURIComponent(id)}` }) });
    });
  }

  async get(id: string): Promise<Answer<Order>> {
    const order = await this.orders.find(id);
    if (!order) throw unknown(id);
    return answer(order, { version: order.version });
  }

  list(after: string, rows: number): Promise<Order[]> {
    return this.orders.list(after, rows);
  }
}

function changed(id: string): FactlineError {
  return new FactlineError({ code: 'order.changed', kind: 'conflict', message: `The order '${id}' was changed at the same moment.`, advice: 'Send the request again: it is judged by what the order is now.', retry: true });
}
