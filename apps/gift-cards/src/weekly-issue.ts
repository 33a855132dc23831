import { Injectable, type OnModuleInit } from '@nestjs/common';
import { Commands } from 'factline/commands';
import { Store } from 'factline/store';
import { IssueCards } from './contracts.generated.js';

/** Mondays at six; of the weeks in which nobody ran, the last one is made up for. */
const RULE = { weekly: { on: ['monday'], at: '06:00', timeZone: 'Europe/Berlin' }, catchUp: 'last' } as const;

/** Asks for the cards of each week, once, whichever processes run. */
@Injectable()
export class WeeklyIssue implements OnModuleInit {
  constructor(
    private readonly store: Store,
    private readonly commands: Commands,
  ) {}

  async onModuleInit(): Promise<void> {
    // Six o'clock in Berlin is the same day in UTC.
    await this.store.transaction((tx) => this.commands.schedule(tx, 'weekly issue', RULE, (due) => IssueCards(due.toISOString().slice(0, 10), {})));
  }
}
