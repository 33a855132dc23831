import { Controller, Get, Headers, Query, Res } from '@nestjs/common';
import { ApiProduces, ApiTags } from '@nestjs/swagger';
import { Refusal } from 'factline/kernel';
import { ReadsFrom, field } from 'factline/nest';
import { csvOf } from './csv.js';
import { type DaySales, type ProductSales, SalesRepository } from './sales.repository.js';

const DAYS_AT_MOST = 366;
const MILLISECONDS_OF_A_DAY = 86_400_000;

export class SalesQuery {
  @field.day({ example: '2026-11-01' }) from!: string;
  @field.day({ description: 'The last day that is meant.', example: '2026-11-30' }) to!: string;
  @field.oneOf({ values: ['day', 'product'], optional: true }) groupBy: 'day' | 'product' = 'day';
  @field.oneOf({ values: ['json', 'csv'], optional: true, description: 'Goes before the Accept header.' }) format?: 'json' | 'csv';
}

export interface SalesReport extends Pick<SalesQuery, 'from' | 'to' | 'groupBy'> {
  items: readonly (DaySales | ProductSales)[];
}

interface HeadersSet {
  setHeader(name: string, value: string): unknown;
}

/** Joined from two read models: the answer is as of the older of both. */
@ApiTags('sales')
@ReadsFrom('sales', 'stock')
@Controller('sales')
export class SalesController {
  constructor(private readonly sales: SalesRepository) {}

  @Get()
  @ApiProduces('application/json', 'text/csv')
  async report(@Query() { from, to, groupBy, format }: SalesQuery, @Headers('accept') accept: string | undefined, @Res({ passthrough: true }) response: HeadersSet): Promise<SalesReport | string> {
    assertRange(from, to);
    const asCsv = format ? format === 'csv' : (accept ?? '').includes('text/csv');
    response.setHeader('Vary', 'Accept');
    if (asCsv) response.setHeader('Content-Type', 'text/csv; charset=utf-8; header=present');
    if (groupBy === 'product') {
      const items = await this.sales.byProduct(from, to);
      return asCsv ? csvOf(['productId', 'currency', 'orders', 'units', 'amountCents', 'onHand'], items) : { from, to, groupBy, items };
    }
    const items = await this.sales.byDay(from, to);
    return asCsv ? csvOf(['day', 'currency', 'orders', 'units', 'amountCents'], items) : { from, to, groupBy, items };
  }
}

function assertRange(from: string, to: string): void {
  const days = (Date.parse(to) - Date.parse(from)) / MILLISECONDS_OF_A_DAY + 1;
  if (days >= 1 && days <= DAYS_AT_MOST) return;
  throw new Refusal({ code: 'sales.range', kind: 'invalid', message: `From ${from} to ${to} are ${days} days.`, advice: `Ask for 1 to ${DAYS_AT_MOST} days; both ends are included.` });
}
