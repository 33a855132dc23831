import { Controller, Get, Param, Post, Query } from '@nestjs/common';
import { ApiTags } from '@nestjs/swagger';
import { Commands } from 'factline/commands';
import { Refusal } from 'factline/kernel';
import { type Answer, type Page, PageQuery, answer, field } from 'factline/nest';
import { Store } from 'factline/store';
import { type GiftCard, Cards } from './cards.js';
import { IssueCards } from './contracts.generated.js';

const MONDAY = 1;

class Week {
  @field.day({ description: 'The Monday of the week.', example: '2026-11-23' }) week!: string;
}

@ApiTags('weeks')
@Controller('weeks')
export class WeeksController {
  constructor(
    private readonly store: Store,
    private readonly commands: Commands,
    private readonly cards: Cards,
  ) {}

  /** For those who have no card of this week yet; GET /jobs/:id tells how it goes. */
  @Post(':week/cards')
  async issue(@Param() { week }: Week): Promise<Answer<{ job: string }>> {
    if (new Date(week).getUTCDay() !== MONDAY) throw notMonday(week);
    const { job } = await this.store.transaction((tx) => this.commands.send(tx, IssueCards(week, {})));
    return answer({ job }, { status: 202, location: `/jobs/${job}` });
  }

  @Get(':week/cards')
  list(@Param() { week }: Week, @Query() query: PageQuery): Promise<Page<GiftCard>> {
    return query.page((behind, count) => this.cards.list(week, behind, count), ({ employeeId }) => employeeId);
  }
}

function notMonday(week: string): Refusal {
  return new Refusal({ code: 'week.not-monday', kind: 'invalid', message: `${week} is no Monday.`, advice: 'A week is named by its Monday.' });
}
