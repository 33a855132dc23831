import { unexpected } from './hr-client.js';
import { type RestAnswer, ask } from './rest.js';

/** A caller of timesheets' REST interface that remembers what it was told, in the order in which it was told. */
export class TimesheetsClient {
  /** Of each employee, the ids of the recorded entries. */
  readonly recorded = new Map<string, string[]>();

  constructor(private readonly url: string) {}

  async openLocation(id: string, name: string): Promise<void> {
    await this.#made('/locations', { id, name });
  }

  /** @returns its id */
  async openJob(title: string, locationId: string): Promise<string> {
    return (await this.#made('/jobs', { title, locationId })).body['id'] as string;
  }

  /** @param token of hr, for an employee who was hired just now */
  async record(employeeId: string, jobId: string, day: string, minutes: number, token?: string): Promise<void> {
    const { body } = await this.#made('/time-entries', { employeeId, jobId, day, minutes }, token);
    this.recorded.set(employeeId, [...(this.recorded.get(employeeId) ?? []), body['id'] as string]);
  }

  async #made(path: string, body: object, token?: string): Promise<RestAnswer> {
    const answer = await ask(`${this.url}${path}`, 'POST', body, token === undefined ? {} : { 'factline-token': token, prefer: 'wait=10' });
    if (answer.status !== 201) throw unexpected(`POST ${path}`, answer.status, JSON.stringify(answer.body));
    return answer;
  }
}
