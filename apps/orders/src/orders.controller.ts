import { Body, Controller, Get, HttpCode, Param, Post, Query } from '@nestjs/common';
import { ApiHeader, ApiTags } from '@nestjs/swagger';
import { formatId, newId, systemClock } from 'factline/kernel';
import { type Answer, Context, type Page, PageQuery, RequestContext } from 'factline/nest';
import type { Order } from './order.decider.js';
import { Cancellation, NewOrder, Payment } from './orders.dto.js';
import { OrdersService } from './orders.service.js';

@ApiTags('orders')
@ApiHeader({ name: 'Idempotency-Key', required: false, description: 'A write repeated with the same key has its effect once.' })
@Controller('orders')
export class OrdersController {
  constructor(private readonly orders: OrdersService) {}

  @Post()
  place(@Body() { id = formatId(newId()), customerId, currency, lines }: NewOrder, @Context() request: RequestContext): Promise<Answer<Order>> {
    return this.orders.handle(id, { do: 'place', customerId, currency, lines }, request);
  }

  @Post(':id/payments')
  @HttpCode(200)
  pay(@Param('id') id: string, @Body() { amountCents, cardCountry }: Payment, @Context() request: RequestContext): Promise<Answer<Order>> {
    return this.orders.handle(id, { do: 'pay', amountCents, cardCountry, at: systemClock.now() * 1_000 }, request);
  }

  @Post(':id/cancellation')
  @HttpCode(200)
  cancel(@Param('id') id: string, @Body() { reason = 'OTHER' }: Cancellation, @Context() request: RequestContext): Promise<Answer<Order>> {
    return this.orders.handle(id, { do: 'cancel', reason }, request);
  }

  @Get()
  list(@Query() query: PageQuery): Promise<Page<Order>> {
    return query.page((behind, count) => this.orders.list(behind, count), ({ id }) => id);
  }

  @Get(':id')
  get(@Param('id') id: string): Promise<Answer<Order>> {
    return this.orders.get(id);
  }
}
