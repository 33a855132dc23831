import { Controller, Get, Query } from '@nestjs/common';
import { ApiTags } from '@nestjs/swagger';
import { Question } from './documents.dto.js';
import { type Found, SearchRepository } from './search.repository.js';

@ApiTags('search')
@Controller('search')
export class SearchController {
  constructor(private readonly indexed: SearchRepository) {}

  /** The best documents first, each with its best excerpts: plain text, not HTML, with what was found between ⟦ and ⟧. */
  @Get()
  async search(@Query() { q, limit }: Question): Promise<{ items: Found[] }> {
    return { items: await this.indexed.search(q, limit) };
  }
}
