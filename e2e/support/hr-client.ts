import { FactlineError } from 'factline/kernel';
import type { Change, Person } from './people.js';

/** What payroll has to know of somebody; kept beside the system, from what was sent to it alone, to judge what comes out. */
export interface Expected {
  name: string;
  salaryCents: number;
  currency: string;
  location: string;
}

/** A caller of hr's REST interface that remembers what the world should look like. */
export class HrClient {
  readonly expected = new Map<string, Expected>();
  /** Token of the last write of each employee. */
  readonly tokens = new Map<string, string>();

  constructor(private readonly url: string) {}

  async hire(person: Person): Promise<void> {
    const { id, name, email, birthDate, phone, salaryCents, currency, location, jobTitle, startedOn } = person;
    await this.#send('POST', '/employees', id, { id, name, email, birthDate, phone, salaryCents, currency, location, jobTitle, startedOn });
    this.expected.set(id, { name, salaryCents, currency, location });
  }

  async change(change: Change): Promise<void> {
    const before = this.expected.get(change.id)!;
    if (change.kind === 'move') {
      const { location, salaryCents } = change;
      await this.#send('POST', `/employees/${change.id}/moves`, change.id, { location, salaryCents, currency: before.currency });
      this.expected.set(change.id, { ...before, location, salaryCents });
    } else if (change.kind === 'rename') {
      await this.#send('PATCH', `/employees/${change.id}/personal-details`, change.id, { name: change.name });
      this.expected.set(change.id, { ...before, name: change.name });
    } else {
      await this.#send('POST', `/employees/${change.id}/termination`, change.id, { lastDay: change.lastDay, reason: 'RESIGNED' });
      this.expected.delete(change.id);
    }
  }

  async #send(method: string, path: string, id: string, body: object): Promise<void> {
    const answer = await fetch(`${this.url}${path}`, { method, headers: { 'content-type': 'application/json' }, body: JSON.stringify(body) });
    if (!answer.ok) throw unexpected(`${method} ${path}`, answer.status, await answer.text());
    this.tokens.set(id, answer.headers.get('factline-token') ?? '');
    await answer.arrayBuffer();
  }
}

/** A few callers at a time, in order of the list per caller. */
export async function inParallel<T>(items: readonly T[], callers: number, call: (item: T) => Promise<void>): Promise<void> {
  let next = 0;
  const caller = async () => {
    while (next < items.length) await call(items[next++]!);
  };
  await Promise.all(Array.from({ length: callers }, caller));
}

/** Changes of one person stay in order: callers share the people, not the changes. */
export async function changeInOrder(hr: HrClient, changes: readonly Change[], callers: number): Promise<void> {
  const byPerson = new Map<string, Change[]>();
  for (const change of changes) byPerson.set(change.id, [...(byPerson.get(change.id) ?? []), change]);
  await inParallel([...byPerson.values()], callers, async (own) => {
    for (const change of own) await hr.change(change);
  });
}

export function unexpected(what: string, status: number, text: string): FactlineError {
  return new FactlineError({ code: 'e2e.unexpected', kind: 'internal', message: `${what} answered ${status}: ${text}`, advice: "Read the app's log in .factline/logs." });
}
