import { Injectable } from '@nestjs/common';
import { type Migration, Store, type Tx } from 'factline/store';

export const stockMigrations: readonly Migration[] = [
  {
    name: 'stock',
    sql: `
create table product (id text primary key, on_hand bigint not null check (on_hand >= 0));
create table deduction (
  order_id text not null,
  product_id text not null references product,
  quantity bigint not null check (quantity > 0),
  primary key (order_id, product_id)
);`,
  },
];

export interface Product {
  id: string;
  onHand: number;
}

/** What one order asks for of one product. */
export interface Asked {
  productId: string;
  quantity: number;
}

/** What became of a product: how many more there are (negative: fewer), and how many then. */
export interface Change extends Product {
  change: number;
}

const COLUMNS = 'id, on_hand::float8 as "onHand"';

/** How many there are, and what each order was given. Who changes several products locks them first, in the order of their ids: so two orders never wait for each other in a circle. */
@Injectable()
export class StockRepository {
  constructor(private readonly store: Store) {}

  /** Those of the products that were ever delivered, held until the transaction ends. */
  async lock(tx: Tx, ids: readonly string[]): Promise<Map<string, Product>> {
    const { rows } = await tx.query<Product>(`select ${COLUMNS} from product where id = any($1) order by id for update`, [ids], 'inventory.product_lock');
    return new Map(rows.map((product) => [product.id, product]));
  }

  async deliver(tx: Tx, id: string, quantity: number): Promise<Product> {
    const { rows } = await tx.query<Product>(
      `insert into product as p (id, on_hand) values ($1, $2) on conflict (id) do update set on_hand = p.on_hand + excluded.on_hand returning ${COLUMNS}`,
      [id, quantity],
      'inventory.product_deliver',
    );
    return rows[0]!;
  }

  /** Gives an order what it asked for, and notes it. The products are locked and there are enough; if not, the table refuses and nothing is given. */
  async deduct(tx: Tx, orderId: string, asked: readonly Asked[]): Promise<Change[]> {
    const { rows } = await tx.query<Change>(
      `with given as (insert into deduction select $1, product_id, quantity from unnest($2::text[], $3::bigint[]) as asked (product_id, quantity) returning product_id, quantity)
       update product set on_hand = on_hand - quantity from given where id = product_id returning ${COLUMNS}, -quantity::float8 as change`,
      [orderId, asked.map(({ productId }) => productId), asked.map(({ quantity }) => quantity)],
      'inventory.product_deduct',
    );
    return rows;
  }

  /** Takes back what an order was given: nothing when it was given nothing, or has brought it back. */
  async putBack(tx: Tx, orderId: string): Promise<Change[]> {
    const { rows: given } = await tx.query<{ id: string }>('select product_id as id from deduction where order_id = $1', [orderId]);
    if (given.length === 0) return [];
    await this.lock(tx, given.map(({ id }) => id));
    const { rows } = await tx.query<Change>(
      `with back as (delete from deduction where order_id = $1 returning product_id, quantity)
       update product set on_hand = on_hand + quantity from back where id = product_id returning ${COLUMNS}, quantity::float8 as change`,
      [orderId],
    );
    return rows;
  }

  async find(id: string): Promise<Product | undefined> {
    return (await this.store.query<Product>(`select ${COLUMNS} from product where id = $1`, [id])).rows[0];
  }

  /** In id order, behind `after`. */
  async list(after: string, rows: number): Promise<Product[]> {
    return (await this.store.query<Product>(`select ${COLUMNS} from product where id > $1 order by id limit $2`, [after, rows])).rows;
  }
}
