import { CloudEvents, type RememberedSchema, type TopicDeclaration } from 'factline/contracts';
import type { Logger } from 'factline/kernel';
import type { OutboxRow } from './page.js';

/**
 * Headers for the topics that ask for them. Which fact an id stands for is read from what processes of this app remembered in its database: they do so before they
 * state the first fact with it, so a relay knows the facts of older and newer processes too, and never asks a registry.
 * A fact with an id that nobody remembered goes out without these headers, and is told once for each id: a fact is not held back for a header.
 */
export class FactHeaders {
  readonly #topics: ReadonlyMap<string, CloudEvents>;

  constructor(
    topics: readonly TopicDeclaration[],
    private readonly remembered: () => Promise<readonly RememberedSchema[]>,
    private readonly logger: Logger,
  ) {
    this.#topics = new Map(topics.filter(({ headers }) => headers === 'cloudevents').map((topic) => [topic.name, new CloudEvents(topic)]));
  }

  /** undefined for a topic that did not ask, which then costs nothing. */
  of(topic: string): CloudEvents | undefined {
    return this.#topics.get(topic);
  }

  /** Await it before rows are sent. One query when a page has an id for the first time. */
  async prepare(rows: readonly OutboxRow[]): Promise<void> {
    for (const [topic, events] of this.#topics) {
      const missing = events.unlearnt(rows.filter((row) => row.topic === topic).map(({ value }) => value));
      if (missing.length === 0) continue;
      const known = new Map((await this.remembered()).map((schema) => [schema.id, schema]));
      for (const schemaId of missing) {
        if (!known.has(schemaId)) this.logger.warn({ topic, schemaId }, 'nobody remembered this schema id: its facts are published without CloudEvents headers');
        events.learn(schemaId, known.get(schemaId));
      }
    }
  }
}
