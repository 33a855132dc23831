import { Body, Controller, Get, Param, Post, Query } from '@nestjs/common';
import { ApiHeader, ApiTags } from '@nestjs/swagger';
import { Refusal } from 'factline/kernel';
import { type Answer, Context, type Page, PageQuery, RequestContext, field } from 'factline/nest';
import { ProductsService } from './products.service.js';
import { type Product, StockRepository } from './stock.repository.js';

export class ProductPath {
  @field.id({ example: 'mug' }) id!: string;
}

export class Delivery {
  @field.whole({ min: 1, max: 1_000_000, example: 100 }) quantity!: number;
}

@ApiTags('products')
@Controller('products')
export class ProductsController {
  constructor(
    private readonly products: ProductsService,
    private readonly stock: StockRepository,
  ) {}

  @Post(':id/deliveries')
  @ApiHeader({ name: 'Idempotency-Key', required: false, description: 'A write repeated with the same key has its effect once.' })
  deliver(@Param() { id }: ProductPath, @Body() { quantity }: Delivery, @Context() request: RequestContext): Promise<Answer<Product>> {
    return this.products.deliver(id, quantity, request);
  }

  @Get()
  list(@Query() query: PageQuery): Promise<Page<Product>> {
    return query.page((behind, count) => this.stock.list(behind, count), ({ id }) => id);
  }

  @Get(':id')
  async get(@Param() { id }: ProductPath): Promise<Product> {
    const product = await this.stock.find(id);
    if (product) return product;
    throw new Refusal({ code: 'product.unknown', kind: 'not-found', message: `Nothing of a product '${id}' was ever delivered.`, advice: 'Check the id.' });
  }
}
