import { Cache, readModelSource } from 'factline/cache';
import { SERVICE_CONFIG } from 'factline/nest';
import { provideCache } from 'factline/nest/caches';
import { Store } from 'factline/store';
import type { RecommendationsConfig } from './config.js';
import { StockChanged } from './contracts.generated.js';
import { type ProductStock, StockRepository } from './stock.repository.js';

/** An answer older than this says so. In silence a watermark comes every 5 s, and takes up to 1 s more to be written beside the read model. */
const STALE_AFTER = '8s';

/** One key, and it depends on every product: whichever partition does not come through, the list is stale. */
export const RANKING = 'ranking';

/** Each product by its id: evicted by its own facts, stale with its own partition. */
export const productsCache = provideCache({
  name: 'products',
  inject: [StockRepository, Store, SERVICE_CONFIG],
  useFactory: (stock: StockRepository, store: Store, { whenStale }: RecommendationsConfig) =>
    new Cache<ProductStock>({
      name: 'products',
      load: (productId) => stock.find(productId),
      loadMany: (productIds) => stock.findMany(productIds),
      source: readModelSource(store, 'stock'),
      staleAfter: STALE_AFTER,
      whenStale,
    }).on(StockChanged, ({ key }) => [key]),
});

export const rankingCache = provideCache({
  name: 'ranking',
  inject: [StockRepository, Store, SERVICE_CONFIG],
  useFactory: (stock: StockRepository, store: Store, { whenStale }: RecommendationsConfig) =>
    new Cache<readonly ProductStock[]>({
      name: 'ranking',
      load: () => stock.ranking(),
      source: readModelSource(store, 'stock'),
      keyOf: () => undefined,
      staleAfter: STALE_AFTER,
      whenStale,
    }).on(StockChanged, () => [RANKING]),
});
