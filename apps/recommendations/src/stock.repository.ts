import { Injectable } from '@nestjs/common';
import { Store } from 'factline/store';

export interface ProductStock {
  productId: string;
  onHand: number;
  sold: number;
}

const COLUMNS = 'product_id as "productId", on_hand::float8 as "onHand", sold::float8 as sold';
/** What a page has room for. */
const RANKING_ROWS = 20;

/** The rows of the read model. Only its projection writes them, and only the caches read them. */
@Injectable()
export class StockRepository {
  constructor(private readonly store: Store) {}

  async find(productId: string): Promise<ProductStock | undefined> {
    return (await this.store.query<ProductStock>(`select ${COLUMNS} from stock.stock where product_id = $1`, [productId])).rows[0];
  }

  async findMany(productIds: readonly string[]): Promise<ReadonlyMap<string, ProductStock>> {
    const { rows } = await this.store.query<ProductStock>(`select ${COLUMNS} from stock.stock where product_id = any($1)`, [productIds]);
    return new Map(rows.map((row) => [row.productId, row]));
  }

  /** The rule: what is in stock; what sells most first, then that of which there is most, then by id. */
  async ranking(): Promise<readonly ProductStock[]> {
    return (await this.store.query<ProductStock>(`select ${COLUMNS} from stock.stock where on_hand > 0 order by sold desc, on_hand desc, product_id limit $1`, [RANKING_ROWS])).rows;
  }
}
