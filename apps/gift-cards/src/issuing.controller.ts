import type { CommandRun, ReceivedCommand } from 'factline/commands';
import { FactlineError } from 'factline/kernel';
import { InjectReadModel } from 'factline/nest';
import { CommandController, OnCommand } from 'factline/nest/commands';
import type { ReadModel } from 'factline/projections';
import type { Tx } from 'factline/store';
import { Cards } from './cards.js';
import { IssueCardsSelected, type IssueCardsSelection } from './contracts.generated.js';

/** Issues the cards of a week, when it is known who was employed at the moment that it was asked for. */
@CommandController({ queue: 'gift_cards.issue', concurrency: 1 })
export class IssuingController {
  constructor(
    private readonly cards: Cards,
    @InjectReadModel('diners') private readonly diners: ReadModel,
  ) {}

  @OnCommand(IssueCardsSelected, { timeout: '60s' })
  async issue({ data, meta }: ReceivedCommand<IssueCardsSelection>, tx: Tx, run: CommandRun) {
    run.progress(0, 'waiting until it is known who is employed');
    const asOf = await this.diners.asOf();
    if (asOf === null || asOf.getTime() * 1_000 < meta.occurredAt) throw notKnownYet(asOf);
    return { issued: await this.cards.issue(tx, data.week) };
  }
}

/** Tried again until it is known: a card too few is as wrong as one too many. */
function notKnownYet(asOf: Date | null): FactlineError {
  return new FactlineError({
    code: 'diners.not-known-yet',
    kind: 'unavailable',
    message: `Who is employed is known as of ${asOf?.toISOString() ?? 'no time yet'}.`,
    advice: 'It goes on by itself when hr says more. See /health for what keeps the read model diners back.',
    retryAfterMs: 1_000,
  });
}
