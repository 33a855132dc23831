import { until } from 'factline/testing';
import { ask } from './rest.js';

export interface DocumentSeen {
  id: string;
  state: string;
  stage: string;
  version: number;
  progress: { share: number; text: string | null };
  problem: { code: string } | null;
}

export interface FoundDocument {
  documentId: string;
  name: string;
  excerpts: readonly { page: number; text: string }[];
}

/** As a user of the app documents: uploads files, watches how they go, and asks for them. */
export class DocumentsClient {
  constructor(readonly url: string) {}

  async upload(name: string, content: string | Buffer, language = 'simple'): Promise<string> {
    return this.#put('POST', `/documents?name=${encodeURIComponent(name)}&language=${language}`, content);
  }

  async replace(id: string, content: string | Buffer): Promise<void> {
    await this.#put('PUT', `/documents/${id}/content`, content);
  }

  async state(id: string): Promise<DocumentSeen> {
    return (await ask(`${this.url}/documents/${id}`)).body as unknown as DocumentSeen;
  }

  async search(q: string): Promise<readonly FoundDocument[]> {
    return (await ask(`${this.url}/search?q=${encodeURIComponent(q)}&limit=50`)).body['items'] as FoundDocument[];
  }

  /** Follows the events of a document until one is final; asks again where the connection ends before, as it does when the app is killed. */
  async watch(id: string, tell: (seen: DocumentSeen) => void = () => undefined): Promise<DocumentSeen> {
    return until(`the events of ${id} to end`, async () => {
      try {
        const { body } = await fetch(`${this.url}/documents/${id}/events`);
        let [text, last] = ['', undefined as DocumentSeen | undefined];
        for await (const chunk of body!) {
          text += Buffer.from(chunk).toString('utf8');
          const events = text.split('\n\n');
          text = events.pop()!;
          for (const [, data] of events.flatMap((event) => [...event.matchAll(/^data: (.*)$/gm)])) tell((last = JSON.parse(data!) as DocumentSeen));
        }
        return last && ['indexed', 'failed', 'stuck', 'cancelled'].includes(last.state) ? last : undefined;
      } catch (error) {
        if ((error as Error).name === 'TypeError') return undefined; // fetch's word for no answer, or half of one; of another realm than a spec's own
        throw error;
      }
    }, 90_000);
  }

  async #put(method: string, path: string, content: string | Buffer): Promise<string> {
    const type = typeof content !== 'string' && content.subarray(0, 5).toString() === '%PDF-' ? 'application/pdf' : 'text/plain';
    const answer = await fetch(`${this.url}${path}`, { method, headers: { 'content-type': type, connection: 'close' }, body: Buffer.from(content) });
    const { id } = (await answer.json()) as { id?: string };
    if (answer.status !== 202 || id === undefined) throw new Error(`${method} ${path} is answered ${answer.status}`);
    return id;
  }
}
