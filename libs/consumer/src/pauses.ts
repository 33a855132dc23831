import { FactlineError } from 'factline/kernel';
import { type Migration, type Store, migrate } from 'factline/store';
import { checkpointTable } from './checkpoint.js';
import type { Trouble } from './partition-lane.js';

const MIGRATIONS: readonly Migration[] = [
  {
    name: 'pauses',
    sql: `
create table factline.pause (
  number bigint generated always as identity primary key,
  subscription text not null,
  reason text not null,
  paused_by text not null,
  paused_at timestamptz not null default clock_timestamp(),
  resumed_by text,
  resumed_at timestamptz
);
create unique index pause_one_at_a_time on factline.pause (subscription) where resumed_at is null;`,
  },
];

/** That a subscription stands still because somebody said so. */
export interface Pause {
  readonly subscription: string;
  readonly reason: string;
  readonly by: string;
  readonly since: Date;
}

const PAUSE = 'subscription, reason, paused_by as by, paused_at as since';

/**
 * Pauses of subscriptions in an app's database: what one operator says holds in every process and after every restart, until somebody ends it; who, why and when are kept.
 * Promised: within about a second no process begins anything more of it; it stays in its group and keeps its position.
 * Not promised: that what a process had begun is taken back, or is finished when `pause` returns.
 */
export class Pauses {
  constructor(private readonly store: Store) {}

  /** Makes the table; safe when several processes start at once. */
  static async migrate(store: Store): Promise<string[]> {
    return migrate(store, 'pauses', MIGRATIONS);
  }

  /** The pause that holds now. */
  async of(subscription: string): Promise<Pause | undefined> {
    return (await this.store.query<Pause>(`select ${PAUSE} from factline.pause where subscription = $1 and resumed_at is null`, [subscription])).rows[0];
  }

  /** The same as the status shows it. @param app named in the command that ends it. */
  async shown(subscription: string, app: string): Promise<Trouble | undefined> {
    const pause = await this.of(subscription);
    return pause && { code: 'consumer.paused', reason: `${pause.by} paused it: ${pause.reason}`, advice: `It stays so until: factline resume ${subscription} --app ${app} --by <you>`, sinceMs: pause.since.getTime() };
  }

  /** @throws FactlineError `pause.subscription-unknown` (not-found), `pause.not-migrated` (configuration), `pause.paused` (conflict): it is paused already, and by whom. */
  async pause(subscription: string, { reason, by }: { reason: string; by: string }): Promise<Pause> {
    await this.#assertKnown(subscription);
    const { rows } = await this.store.query<Pause>(`insert into factline.pause (subscription, reason, paused_by) values ($1, $2, $3) on conflict do nothing returning ${PAUSE}`, [subscription, reason, by]);
    if (rows[0]) return rows[0];
    const there = await this.of(subscription);
    throw new FactlineError({
      code: 'pause.paused',
      kind: 'conflict',
      message: `'${subscription}' is paused already${there ? `, by ${there.by} since ${there.since.toISOString()}: ${there.reason}` : ''}.`,
      advice: 'Nothing was changed: end that one first, if another reason is to be shown.',
    });
  }

  /** Ends it. @returns what is ended. @throws FactlineError as `pause`, and `pause.not-paused` (conflict). */
  async resume(subscription: string, { by }: { by: string }): Promise<Pause> {
    await this.#assertKnown(subscription);
    const { rows } = await this.store.query<Pause>(`update factline.pause set resumed_by = $2, resumed_at = clock_timestamp() where subscription = $1 and resumed_at is null returning ${PAUSE}`, [subscription, by]);
    if (rows[0]) return rows[0];
    throw new FactlineError({ code: 'pause.not-paused', kind: 'conflict', message: `'${subscription}' is not paused${await this.#lastEnded(subscription)}.`, advice: 'Nothing was changed: /health says what it waits for.' });
  }

  async #lastEnded(subscription: string): Promise<string> {
    const { rows } = await this.store.query<{ by: string; at: Date }>('select resumed_by as by, resumed_at as at from factline.pause where subscription = $1 order by number desc limit 1', [subscription]);
    return rows[0] ? ` any more: ${rows[0].by} resumed it at ${rows[0].at.toISOString()}` : '';
  }

  /** What has checkpoints is a subscription. */
  async #assertKnown(subscription: string): Promise<void> {
    const { rows } = await this.store.query<{ ready: boolean; known: boolean }>("select to_regclass('factline.pause') is not null as ready, to_regclass($1) is not null as known", [checkpointTable(subscription)]);
    if (!rows[0]!.known) throw new FactlineError({ code: 'pause.subscription-unknown', kind: 'not-found', message: `This app has no subscription '${subscription}'.`, advice: 'GET /health lists its read models and reactions by name.' });
    if (!rows[0]!.ready) throw new FactlineError({ code: 'pause.not-migrated', kind: 'configuration', message: 'No process of this version of the app has started on its database, so none would notice.', advice: 'Deploy it, or run: factline migrate --app <app>' });
  }
}
