import { Injectable } from '@nestjs/common';
import { type Answer, Idempotency, type RequestContext, answer } from 'factline/nest';
import { FactOutbox } from 'factline/outbox';
import { StockChanged } from './contracts.generated.js';
import { type Product, StockRepository } from './stock.repository.js';

@Injectable()
export class ProductsService {
  constructor(
    private readonly stock: StockRepository,
    private readonly outbox: FactOutbox,
    private readonly idempotency: Idempotency,
  ) {}

  deliver(id: string, quantity: number, request: RequestContext): Promise<Answer<Product>> {
    return this.idempotency.transaction(request, async (tx) => {
      const product = await this.stock.deliver(tx, id, quantity);
      const fact = StockChanged(id, { onHand: product.onHand, change: quantity, reason: 'DELIVERED' }, { correlationId: request.correlationId });
      const { token } = await this.outbox.add(tx, fact);
      return answer(product, { status: 201, location: `/products/${encodeURIComponent(id)}`, token });
    });
  }
}
