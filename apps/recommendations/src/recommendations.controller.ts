import type { ServerResponse } from 'node:http';
import { Controller, Get, Param, Res } from '@nestjs/common';
import { ApiTags } from '@nestjs/swagger';
import type { Cache, Cached } from 'factline/cache';
import { Refusal } from 'factline/kernel';
import { field } from 'factline/nest';
import { InjectCache } from 'factline/nest/caches';
import { RANKING } from './stock.caches.js';
import type { ProductStock } from './stock.repository.js';

export class ProductPath {
  @field.id({ example: 'mug' }) productId!: string;
}

/** What every answer says about itself. */
interface Known {
  /** Nothing that inventory committed until then is missing; null: unknown. */
  asOf: string | null;
  /** How old the answer may be at worst. */
  ageSeconds: number | null;
  /** Nothing newer than the bound is known: inventory, its relay or the broker is silent. */
  stale: boolean;
}

interface Recommendation extends ProductStock, Known {
  recommended: boolean;
}

interface Recommendations extends Known {
  items: readonly ProductStock[];
}

@ApiTags('recommendations')
@Controller('recommendations')
export class RecommendationsController {
  constructor(
    @InjectCache('products') private readonly products: Cache<ProductStock>,
    @InjectCache('ranking') private readonly ranking: Cache<readonly ProductStock[]>,
  ) {}

  /** What is in stock; what sells most first. */
  @Get()
  async list(@Res({ passthrough: true }) response: ServerResponse): Promise<Recommendations> {
    const answer = await this.ranking.get(RANKING);
    return { ...told(answer, response), items: answer.value ?? [] };
  }

  /** Recommended while there is any. */
  @Get(':productId')
  async get(@Param() { productId }: ProductPath, @Res({ passthrough: true }) response: ServerResponse): Promise<Recommendation> {
    const answer = await this.products.get(productId);
    const known = told(answer, response);
    if (answer.value) return { ...answer.value, recommended: answer.value.onHand > 0, ...known };
    throw new Refusal({ code: 'product.unknown', kind: 'not-found', message: `Nothing is known of a product '${productId}' here yet.`, advice: 'Check the id; Factline-As-Of says how new this answer is.' });
  }
}

function told({ asOf, age, stale }: Cached<unknown>, response: ServerResponse): Known {
  response.setHeader('Factline-As-Of', asOf?.toISOString() ?? 'unknown');
  response.setHeader('Factline-Stale', String(stale));
  return { asOf: asOf?.toISOString() ?? null, ageSeconds: age === null ? null : Math.round(age / 1_000), stale };
}
