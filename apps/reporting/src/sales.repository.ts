import { Injectable } from '@nestjs/common';
import { Refusal } from 'factline/kernel';
import { Store } from 'factline/store';

/** More rows than anybody reads; who wants all of them asks for fewer days at a time. */
const ROWS_AT_MOST = 10_000;

export interface DaySales {
  day: string;
  currency: string;
  orders: number;
  units: number;
  amountCents: number;
}

export interface ProductSales {
  productId: string;
  currency: string;
  orders: number;
  units: number;
  amountCents: number;
  /** How many there are now; null: nobody has said. */
  onHand: number | null;
}

// Statements and no views: a view belongs to the tables that it was made for, and a rebuild puts other tables under the same names.
const LINES = `from sales.sales s cross join lateral jsonb_to_recordset(s.lines) as line ("productId" text, quantity numeric, "unitPriceCents" numeric)
  where s.day between $1::date - date '1970-01-01' and $2::date - date '1970-01-01'`;
const SUMS = `count(distinct s.order_id)::integer as orders, sum(line.quantity)::float8 as units, sum(line.quantity * line."unitPriceCents")::float8 as "amountCents"`;

const BY_DAY = `select (date '1970-01-01' + s.day)::text as day, s.currency, ${SUMS} ${LINES} group by s.day, s.currency order by s.day, s.currency limit $3`;
const BY_PRODUCT = `select sold.*, k.on_hand::float8 as "onHand" from (
    select line."productId", s.currency, ${SUMS} ${LINES} group by line."productId", s.currency) sold
  left join stock.stock k on k.product_id = sold."productId" order by sold."productId", sold.currency limit $3`;

/** Sums over the rows of the read models, each made in one statement, so in one snapshot. The days are both included. */
@Injectable()
export class SalesRepository {
  constructor(private readonly store: Store) {}

  byDay(from: string, to: string): Promise<DaySales[]> {
    return this.#rows<DaySales>(BY_DAY, from, to);
  }

  byProduct(from: string, to: string): Promise<ProductSales[]> {
    return this.#rows<ProductSales>(BY_PRODUCT, from, to);
  }

  async #rows<Row>(sql: string, from: string, to: string): Promise<Row[]> {
    const { rows } = await this.store.query<Row & object>(sql, [from, to, ROWS_AT_MOST + 1]);
    if (rows.length <= ROWS_AT_MOST) return rows;
    throw new Refusal({ code: 'sales.too-many', message: `There are more than ${ROWS_AT_MOST} rows.`, advice: 'Ask for fewer days at a time.' });
  }
}
