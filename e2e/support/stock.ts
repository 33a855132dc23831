import { partitionOf } from 'factline/log';
import { unexpected } from './hr-client.js';
import { type RestAnswer, ask } from './rest.js';

/** As schemas/inventory/product/topic.yaml says. */
export const STOCK_TOPIC = 'inventory.product';
const PARTITIONS = 6;

export const stockPartition = (product: string) => partitionOf(Buffer.from(product), PARTITIONS);

/** Two products with this beginning whose facts lie on different partitions. */
export function productsApart(prefix: string): [string, string] {
  const first = `${prefix}mug`;
  for (let number = 1; ; number++) if (stockPartition(`${prefix}pot${number}`) !== stockPartition(first)) return [first, `${prefix}pot${number}`];
}

export async function deliver(inventoryUrl: string, product: string, quantity: number): Promise<void> {
  const { status, body } = await ask(`${inventoryUrl}/products/${product}/deliveries`, 'POST', { quantity });
  if (status !== 201) throw unexpected(`a delivery of ${product}`, status, JSON.stringify(body));
}

/** What recommendations answers about a product, or about all with an empty one. */
export function recommendation(url: string, product = ''): Promise<RestAnswer> {
  return ask(`${url}/recommendations${product && `/${product}`}`);
}
