import { type CommandRun, Commands, type ReceivedCommand } from 'factline/commands';
import type { Command } from 'factline/contracts';
import { systemClock } from 'factline/kernel';
import { CommandController, OnCommand } from 'factline/nest/commands';
import { FactOutbox } from 'factline/outbox';
import type { Tx } from 'factline/store';
import { chunksOf } from './chunks.js';
import { ChunkDocument, ChunkDocumentSelected, DocumentFailed, DocumentIndexed, IndexDocument, IndexDocumentSelected, ParseDocumentSelected } from './contracts.generated.js';
import { DocumentsRepository } from './documents.repository.js';
import { BACKLOG_JOBS, CHUNK_CHARACTERS } from './limits.js';
import { Parser, type Unusable } from './parser.js';

/** What comes of a command for content that was replaced meanwhile: another command was sent for what is there now. */
const REPLACED = { replaced: true };

type Received = ReceivedCommand<{ version: number }>;

/**
 * Parse, cut, index: a command each, and each sends the next in the transaction of what it wrote. So a crash repeats at most one stage, and of that nothing was written. One at a time in
 * a process, because of the memory that parsers take; more processes do more.
 */
@CommandController({ queue: 'documents.work', concurrency: 1, backlog: { limit: BACKLOG_JOBS, past: 'refuse-low-priority' } })
export class WorkController {
  constructor(
    private readonly documents: DocumentsRepository,
    private readonly parser: Parser,
    private readonly commands: Commands,
    private readonly outbox: FactOutbox,
  ) {}

  @OnCommand(ParseDocumentSelected)
  async parse({ key, data: { version } }: Received, tx: Tx, run: CommandRun) {
    const found = await this.documents.contentOf(tx, key, version);
    if (!found) return REPLACED;
    const progress = (page: number, pages: number) => run.progress(page / pages, `page ${page} of ${pages}`);
    const parsed = await this.parser.parse(found.content, found.mediaType, { signal: run.signal, progress });
    if ('unusable' in parsed) return this.#fail(tx, key, version, parsed.unusable);
    const { pages } = parsed;
    const characters = pages.reduce((sum, page) => sum + page.length, 0);
    if (!(await this.documents.reach(tx, key, version, 'CHUNK', { pages: pages.length, characters }))) return REPLACED;
    await this.documents.addPages(tx, key, pages);
    await this.#next(tx, ChunkDocument(key, { version }));
    return { pages: pages.length, characters };
  }

  @OnCommand(ChunkDocumentSelected)
  async chunk({ key, data: { version } }: Received, tx: Tx) {
    const document = await this.documents.reach(tx, key, version, 'INDEX');
    if (!document) return REPLACED;
    const pages = await this.documents.takePages(tx, key);
    const chunks = pages.flatMap(({ page, text }) => chunksOf(text, CHUNK_CHARACTERS).map((piece) => ({ page, text: piece })));
    await this.documents.addChunks(tx, document, chunks);
    await this.#next(tx, IndexDocument(key, { version }));
    return { chunks: chunks.length };
  }

  @OnCommand(IndexDocumentSelected)
  async index({ key, data: { version } }: Received, tx: Tx) {
    const document = await this.documents.reach(tx, key, version, 'INDEXED');
    if (!document) return REPLACED;
    const chunks = await this.documents.index(tx, key);
    await this.documents.reach(tx, key, version, 'INDEXED', { chunks });
    const { pages, characters, language } = document;
    await this.outbox.add(tx, DocumentIndexed(key, { version, pages: pages!, chunks, characters: characters!, language, indexedAt: systemClock.now() * 1_000 }));
    return { chunks };
  }

  async #next(tx: Tx, command: Command): Promise<void> {
    const { job } = await this.commands.send(tx, command);
    await this.documents.follow(tx, command.key, job);
  }

  async #fail(tx: Tx, key: string, version: number, reason: Unusable) {
    if (!(await this.documents.reach(tx, key, version, 'FAILED', { reason }))) return REPLACED;
    await this.outbox.add(tx, DocumentFailed(key, { version, reason, stage: 'PARSE', failedAt: systemClock.now() * 1_000 }));
    return { failed: reason };
  }
}
