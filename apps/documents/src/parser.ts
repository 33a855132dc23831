/// <reference lib="es2024.string" />
import { type BeforeApplicationShutdown, Inject, Injectable } from '@nestjs/common';
import { FactlineError } from 'factline/kernel';
import { SERVICE_CONFIG } from 'factline/nest';
import type { DocumentsConfig } from './config.js';
import { CHARACTERS } from './limits.js';
import { type PdfReading, parserFailed, readPdf } from './pdf.js';

const PDF = 'application/pdf';
/** Text is UTF-8, and marks of Markdown are words like others. */
export const MEDIA_TYPES = ['text/plain', 'text/markdown', PDF] as const;

/** Why a file is none that can be indexed, whoever tries: stated, and told to its user. */
export type Unusable = 'NOT_A_PDF' | 'ENCRYPTED' | 'NO_TEXT' | 'TOO_LONG';

export type Parsed = { readonly pages: readonly string[] } | { readonly unusable: Unusable };

/**
 * Reads the text of the pages out of a file. What is plainly no document is an answer. What may be one, if only the parser, a setting or the content were others, is thrown: an operator
 * has to look.
 */
@Injectable()
export class Parser implements BeforeApplicationShutdown {
  readonly #stopping = new AbortController();

  constructor(@Inject(SERVICE_CONFIG) private readonly config: Pick<DocumentsConfig, 'pages'>) {}

  /** What is being read is given up, rolled back, and read by the next process: the longest would take more time than a process has to stop. */
  beforeApplicationShutdown(): void {
    this.#stopping.abort(new FactlineError({ code: 'document.stopping', kind: 'unavailable', message: 'The process stops.', advice: 'It is read again when one runs.' }));
  }

  /** @throws FactlineError `document.not-utf8` (invalid), `document.too-many-pages` (refused), and what `readPdf` throws. */
  async parse(content: Uint8Array, mediaType: string, run: Pick<PdfReading, 'signal' | 'progress'>): Promise<Parsed> {
    const parsed = mediaType === PDF ? await this.#pdf(content, run) : textOf(content);
    if ('unusable' in parsed) return parsed;
    const pages = parsed.pages.map(sound);
    return pages.every((page) => page.trim() === '') ? { unusable: 'NO_TEXT' } : { pages };
  }

  async #pdf(content: Uint8Array, run: Pick<PdfReading, 'signal' | 'progress'>): Promise<Parsed> {
    const maxPages = this.config.pages;
    const outcome = await readPdf(content, { maxPages, ...run, signal: AbortSignal.any([run.signal, this.#stopping.signal]) });
    switch (outcome.type) {
      case 'text':
        return { pages: outcome.pages };
      case 'refused':
        return { unusable: outcome.reason };
      case 'too-many-pages':
        throw tooManyPages(outcome.pages, maxPages);
      case 'failed':
        throw parserFailed(outcome.message);
    }
  }
}

function textOf(content: Uint8Array): Parsed {
  let text: string;
  try {
    text = new TextDecoder('utf-8', { fatal: true }).decode(content);
  } catch (cause) {
    throw new FactlineError({ code: 'document.not-utf8', kind: 'invalid', message: 'The text is not in UTF-8.', advice: 'Replace its content by the same text in UTF-8; then requeue.', cause });
  }
  return text.length > CHARACTERS ? { unusable: 'TOO_LONG' } : { pages: [text] };
}

/** Postgres stores neither NUL nor half a surrogate pair, and fonts of PDFs bring both. */
function sound(text: string): string {
  return text.toWellFormed().replaceAll('\0', '\uFFFD');
}

function tooManyPages(pages: number, most: number): FactlineError {
  return new FactlineError({
    code: 'document.too-many-pages',
    kind: 'refused',
    message: `The document has ${pages} pages, and ${most} are allowed.`,
    advice: 'Raise DOCUMENTS_PAGES and start again, or replace its content by a part of it; then requeue.',
  });
}
