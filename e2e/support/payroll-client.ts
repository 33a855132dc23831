import { Store } from 'factline/store';
import { until } from 'factline/testing';
import { type Expected, unexpected } from './hr-client.js';

/** Reads payroll as its users do, over REST, and compares its table with what it should be. */
export class PayrollClient {
  constructor(
    private readonly url: string,
    private readonly databaseUrl: string,
    /** Which employees are compared: those whose ids begin so. */
    private readonly prefix = '',
  ) {}

  /** One payee, containing the caller's own write; null when there is none. */
  async payee(id: string, token?: string): Promise<{ payee: Expected | null; asOf: string }> {
    const answer = await fetch(`${this.url}/payees/${id}`, { headers: token ? { 'factline-token': token, prefer: 'wait=10' } : {} });
    const asOf = answer.headers.get('factline-as-of') ?? 'unknown';
    if (answer.status === 404) return { payee: null, asOf };
    if (!answer.ok) throw unexpected(`GET /payees/${id}`, answer.status, await answer.text());
    return { payee: (await answer.json()) as Expected, asOf };
  }

  async health(): Promise<{ subscriptions: { name: string; state: string; lag: number; trouble: { reason: string; advice?: string } | null }[] }> {
    return (await (await fetch(`${this.url}/health`)).json()) as Awaited<ReturnType<PayrollClient['health']>>;
  }

  /** How many payees differ from what they should be, missing and surplus ones included. */
  async differences(expected: ReadonlyMap<string, Expected>): Promise<number> {
    const store = new Store({ url: this.databaseUrl, applicationName: 'e2e check', connections: 1 });
    try {
      const { rows } = await store.query<{ employee_id: string; name: string; salary_cents: string; currency: string; location: string }>(
        'select employee_id, name, salary_cents, currency, location from payees.payees where starts_with(employee_id, $1)',
        [this.prefix],
      );
      const wrong = rows.filter(({ employee_id: id, name, salary_cents: salary, currency, location }) => {
        const right = expected.get(id);
        return right?.name !== name || right.salaryCents !== Number(salary) || right.currency !== currency || right.location !== location;
      });
      const missing = expected.size - (rows.length - rows.filter(({ employee_id: id }) => !expected.has(id)).length);
      return wrong.length + missing;
    } finally {
      await store.close();
    }
  }

  async equals(expected: ReadonlyMap<string, Expected>, what: string): Promise<void> {
    await until(what, async () => (await this.differences(expected)) === 0);
  }
}
