import { Body, Controller, Get, HttpCode, Inject, Param, Post, Query, UseGuards } from '@nestjs/common';
import type { DeadLetterFilter } from 'factline/consumer';
import { FactlineError } from 'factline/kernel';
import type { DeadLetters } from 'factline/projections';
import { ReactionDeadLetters } from 'factline/reactions';
import { AdminGuard } from './admin.guard.js';
import { EditBody, FilterQuery, PauseBody, PurgeBody, RequeueBody, ResumeBody } from './admin.dto.js';
import { ADMIN_SOURCE, type AdminSource } from './source.js';

/** What operators do, over HTTP; the command line does the same without the app. Each change says who and why, and is written down with that in the transaction that makes it. */
@Controller()
@UseGuards(AdminGuard)
export class AdminController {
  constructor(@Inject(ADMIN_SOURCE) private readonly source: AdminSource) {}

  @Get('subscriptions')
  subscriptions() {
    return { items: this.source.subscriptions() };
  }

  /** Every process of the app holds it within about a second. */
  @Post('subscriptions/:subscription/pause')
  @HttpCode(200)
  pause(@Param('subscription') name: string, @Body() { reason, by }: PauseBody) {
    return this.source.pauses.pause(name, { reason, by });
  }

  @Post('subscriptions/:subscription/resume')
  @HttpCode(200)
  resume(@Param('subscription') name: string, @Body() { by }: ResumeBody) {
    return this.source.pauses.resume(name, { by });
  }

  @Get('dead-letters/:subscription')
  async list(@Param('subscription') name: string, @Query() query: FilterQuery) {
    const { letters, keys, facts } = await this.source.letters(name).list(filterOf(query));
    return { keys, facts, items: letters };
  }

  @Get('dead-letters/:subscription/keys/:key')
  async get(@Param('subscription') name: string, @Param('key') key: string) {
    return { items: await this.source.letters(name).read(key) };
  }

  /** Reactions: asks for it, and answers with the re-drive to look at. A read model: does it. */
  @Post('dead-letters/:subscription/requeue')
  @HttpCode(202)
  async requeue(@Param('subscription') name: string, @Body() body: RequeueBody) {
    const letters = this.source.letters(name);
    const care = { ...(body.canary !== undefined && { canary: body.canary }), ...(body.rate !== undefined && { rate: body.rate }), ...(body.stopAtPercent !== undefined && { stopAt: body.stopAtPercent / 100 }) };
    if (letters instanceof ReactionDeadLetters) {
      const redrive = await letters.requeue(filterOf(body), { ...care, by: body.by });
      this.source.wake(name);
      return { redrive };
    }
    return { done: await all(letters, filterOf(body), care) };
  }

  @Get('dead-letters/:subscription/redrives/:id')
  async redrive(@Param('subscription') name: string, @Param('id') id: string) {
    const found = await this.#reactions(name).redrive(idOf(id));
    if (found) return found;
    throw new FactlineError({ code: 'dead-letters.redrive-unknown', kind: 'not-found', message: `There is no re-drive ${id} of '${name}'.`, advice: 'Ask for one with POST .../requeue.' });
  }

  @Post('dead-letters/:subscription/redrives/:id/cancel')
  @HttpCode(200)
  async cancel(@Param('subscription') name: string, @Param('id') id: string) {
    return { cancelled: await this.#reactions(name).cancel(idOf(id)) };
  }

  @Post('dead-letters/:subscription/edit')
  @HttpCode(200)
  async edit(@Param('subscription') name: string, @Body() { key, offset, fact, data, reason, by }: EditBody) {
    return { differences: await this.#reactions(name).edit({ key, offset }, { data, ...(fact !== undefined && { fact }) }, { reason, by }) };
  }

  @Post('dead-letters/:subscription/purge')
  @HttpCode(200)
  purge(@Param('subscription') name: string, @Body() body: PurgeBody) {
    return this.source.letters(name).purge({ ...filterOf(body), ...(body.offset !== undefined && { offset: body.offset }) }, { reason: body.reason, by: body.by });
  }

  #reactions(name: string): ReactionDeadLetters {
    const letters = this.source.letters(name);
    if (letters instanceof ReactionDeadLetters) return letters;
    throw new FactlineError({ code: 'dead-letters.read-model', kind: 'refused', message: `'${name}' is a read model: it is what its facts say.`, advice: 'Correct the fold and requeue, or give the fact up.' });
  }
}

async function all(letters: DeadLetters, filter: DeadLetterFilter, care: object) {
  const done = [];
  for await (const each of letters.requeue(filter, care)) done.push(each);
  return done;
}

function filterOf({ key, code, schema, all: every }: FilterQuery | RequeueBody): DeadLetterFilter {
  return { ...(key !== undefined && { key }), ...(code !== undefined && { code }), ...(schema !== undefined && { schemaId: Number(schema) }), ...((every === true || every === 'true') && { all: true }) };
}

/** @throws FactlineError `request.invalid` */
function idOf(text: string): string {
  if (/^\d{1,18}$/.test(text)) return text;
  throw new FactlineError({ code: 'request.invalid', kind: 'invalid', message: 'The id of a re-drive is a whole number.', advice: 'Take it from the answer to requeue.' });
}
