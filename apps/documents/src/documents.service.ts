import { Injectable } from '@nestjs/common';
import { Commands } from 'factline/commands';
import { Refusal, formatId, newId, systemClock } from 'factline/kernel';
import { type Answer, Idempotency, type RequestContext, answer } from 'factline/nest';
import type { ReceivedFile } from 'factline/nest/files';
import { FactOutbox } from 'factline/outbox';
import type { Tx } from 'factline/store';
import { DocumentUploaded, ParseDocument } from './contracts.generated.js';
import { unknown } from './document-state.js';
import type { NewDocument } from './documents.dto.js';
import { type DocumentRow, DocumentsRepository } from './documents.repository.js';

/** What an upload comes to: `GET /documents/<id>` tells how it goes, through all stages; the job is that of the first. */
export interface Uploaded {
  readonly id: string;
  readonly version: number;
  readonly job: string;
}

/** Takes content in: in one transaction it is stored, stated, and the first command is sent. */
@Injectable()
export class DocumentsService {
  constructor(
    private readonly documents: DocumentsRepository,
    private readonly commands: Commands,
    private readonly outbox: FactOutbox,
    private readonly idempotency: Idempotency,
  ) {}

  /** The same content uploaded twice is one document: the second answer is 200, with the first one. */
  upload(file: ReceivedFile, { name, language }: NewDocument, request: RequestContext): Promise<Answer<Uploaded>> {
    return this.#once(file, request, async (tx) => {
      const added = { id: formatId(newId()), version: 1, name, language, uploadedAt: new Date(systemClock.now()) };
      if (await this.documents.add(tx, added, file)) return this.#begin(tx, added, file, request);
      return known((await this.documents.findSame(tx, file.sha256))!);
    });
  }

  /** Other content in the place of what is there, whatever became of that. A command that waits behind a dead letter waits on until its key is requeued. */
  replace(id: string, file: ReceivedFile, request: RequestContext): Promise<Answer<Uploaded>> {
    return this.#once(file, request, async (tx) => {
      const same = await this.documents.findSame(tx, file.sha256);
      if (same && same.id !== id) throw elsewhere(same.id);
      const replaced = await this.documents.replace(tx, id, file, new Date(systemClock.now()));
      if (replaced) return this.#begin(tx, replaced, file, request);
      if (same) return known(same);
      throw unknown(id);
    });
  }

  #once(file: ReceivedFile, request: RequestContext, work: (tx: Tx) => Promise<Answer<Uploaded>>): Promise<Answer<Uploaded>> {
    if (file.content.length === 0) throw empty();
    return this.idempotency.transaction(request, work);
  }

  async #begin(tx: Tx, { id, version, name, uploadedAt }: Pick<DocumentRow, 'id' | 'version' | 'name' | 'uploadedAt'>, { mediaType, content, sha256 }: ReceivedFile, { correlationId }: RequestContext): Promise<Answer<Uploaded>> {
    const { token } = await this.outbox.add(tx, DocumentUploaded(id, { version, name, mediaType, bytes: content.length, sha256, uploadedAt: uploadedAt.getTime() * 1_000 }, { correlationId }));
    // Of low priority: when too many wait it is uploads that are refused, not the stages of what was taken in.
    const { job } = await this.commands.send(tx, ParseDocument(id, { version }, { correlationId }), { priority: 'low' });
    await this.documents.follow(tx, id, job);
    return answer({ id, version, job }, { status: 202, location: `/documents/${id}`, token });
  }
}

function known({ id, version, job }: Pick<DocumentRow, 'id' | 'version' | 'job'>): Answer<Uploaded> {
  return answer({ id, version, job }, { location: `/documents/${id}` });
}

const empty = () => new Refusal({ code: 'document.empty', kind: 'invalid', message: 'The file is empty.', advice: 'Send its content as the body.' });
const elsewhere = (id: string) => new Refusal({ code: 'document.known', kind: 'conflict', message: `The document '${id}' has this content.`, advice: 'Use that one.' });
