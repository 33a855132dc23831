import { FactlineError, type Logger, messageOf } from 'factline/kernel';
import type { FactLog, OutgoingRecord, Publisher } from 'factline/log';

export interface SenderOptions {
  log: FactLog;
  publishTimeoutMs: number;
  logger: Logger;
}

/** One publisher for all lanes, opened when it is needed and replaced when it could not be opened or owes an answer. */
export class Sender {
  #publisher: Promise<Publisher> | undefined;

  constructor(private readonly options: SenderOptions) {}

  /** @throws what the log throws; FactlineError `relay.publish-timeout`, after which nobody knows. */
  async send(topic: string, partition: number, records: readonly OutgoingRecord[]): Promise<{ baseOffset: number }> {
    const publisher = (this.#publisher ??= this.options.log.publisher());
    let timer: NodeJS.Timeout | undefined;
    const late = new Promise<never>((_resolve, reject) => {
      timer = setTimeout(() => reject(unanswered(topic, partition, this.options.publishTimeoutMs)), this.options.publishTimeoutMs);
    });
    try {
      return await Promise.race([publisher.then((open) => open.send(topic, partition, records)), late]);
    } catch (error) {
      if (error instanceof FactlineError && error.code === 'relay.publish-timeout') this.#discard(publisher);
      else if (await publisher.then(() => false, () => true)) this.#forget(publisher);
      throw error;
    } finally {
      clearTimeout(timer);
    }
  }

  #forget(publisher: Promise<Publisher>): void {
    if (this.#publisher === publisher) this.#publisher = undefined;
  }

  /** A publisher that owes an answer must not be used again: its late answer and a new send would run side by side in one partition. */
  #discard(publisher: Promise<Publisher>): void {
    this.#forget(publisher);
    publisher.then((open) => open.close()).catch((error: unknown) => {
      this.options.logger.warn({ error: messageOf(error) }, 'a publisher that did not answer could not be closed');
    });
  }

  async close(): Promise<void> {
    const publisher = this.#publisher;
    this.#publisher = undefined;
    await (await publisher)?.close();
  }
}

function unanswered(topic: string, partition: number, timeoutMs: number): FactlineError {
  return new FactlineError({
    code: 'relay.publish-timeout',
    kind: 'unavailable',
    message: `The log did not answer a send to '${topic}' partition ${partition} within ${timeoutMs} ms.`,
    advice: 'The same facts are sent again through a new connection.',
  });
}
