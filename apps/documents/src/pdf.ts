import { extname } from 'node:path';
import { Worker } from 'node:worker_threads';
import { FactlineError, messageOf } from 'factline/kernel';
import { CHARACTERS, PARSER_GROWTH_BYTES, PARSER_HEAP_MB, PARSER_LOOK_MS, PARSE_TIMEOUT_MS } from './limits.js';
import type { PdfMessage, PdfOutcome, PdfTask } from './pdf.thread.js';

export interface PdfReading {
  readonly maxPages: number;
  readonly timeoutMs?: number;
  readonly maxGrowthBytes?: number;
  /** Ends the reading. */
  readonly signal: AbortSignal;
  progress(page: number, pages: number): void;
}

/**
 * The text of each page of a PDF, in their order. A stranger's file is read in a thread of its own, which ends with it, after 20 s, or when it has taken too much memory: it neither
 * holds up this thread nor ends the process.
 * @throws FactlineError `document.parser-failed`, `document.parser-time`, `document.parser-memory` (internal); the reason of the signal.
 */
export async function readPdf(content: Uint8Array, { maxPages, timeoutMs = PARSE_TIMEOUT_MS, maxGrowthBytes = PARSER_GROWTH_BYTES, signal, progress }: PdfReading): Promise<PdfOutcome> {
  signal.throwIfAborted();
  const copy = new Uint8Array(content); // its memory goes over to the thread, and that of a Buffer may be shared
  const task: PdfTask = { content: copy, maxPages, maxCharacters: CHARACTERS };
  const thread = new Worker(new URL(`./pdf.thread${extname(import.meta.url)}`, import.meta.url), {
    workerData: task,
    transferList: [copy.buffer],
    resourceLimits: { maxOldGenerationSizeMb: PARSER_HEAP_MB },
    env: {},
    stdout: true,
    stderr: true,
  });
  for (const output of [thread.stdout, thread.stderr]) output.resume(); // what a parser prints is no line of our log
  const grown = growth(maxGrowthBytes);
  let late: NodeJS.Timeout | undefined;
  let look: NodeJS.Timeout | undefined;
  try {
    return await new Promise<PdfOutcome>((resolve, reject) => {
      thread.on('message', (message: PdfMessage) => (message.type === 'progress' ? progress(message.page, message.pages) : resolve(message)));
      thread.once('error', (error: NodeJS.ErrnoException) => reject(error.code === 'ERR_WORKER_OUT_OF_MEMORY' ? tooMuchMemory() : parserFailed(messageOf(error))));
      thread.once('exit', () => reject(parserFailed('it ended without an answer')));
      signal.addEventListener('abort', () => reject(signal.reason as Error), { once: true });
      late = setTimeout(() => reject(tooLate(timeoutMs)), timeoutMs);
      look = setInterval(() => grown() && reject(tooMuchMemory()), PARSER_LOOK_MS);
    });
  } finally {
    clearTimeout(late);
    clearInterval(look);
    await thread.terminate();
  }
}

/** Of the whole process, since nobody counts the buffers of one thread on every Node; so one PDF is read at a time. */
function growth(bytes: number): () => boolean {
  const before = process.memoryUsage.rss();
  return () => process.memoryUsage.rss() - before > bytes;
}

export function parserFailed(message: string): FactlineError {
  return new FactlineError({ code: 'document.parser-failed', kind: 'internal', message: `The text cannot be read out of the PDF: ${message}.`, advice: 'Replace its content, or correct the parser; then requeue.' });
}

function tooLate(timeoutMs: number): FactlineError {
  return new FactlineError({ code: 'document.parser-time', kind: 'internal', message: `Reading the PDF took more than ${timeoutMs} ms.`, advice: 'Replace its content by a simpler PDF, and requeue; if the machine was busy, requeue.' });
}

function tooMuchMemory(): FactlineError {
  return new FactlineError({ code: 'document.parser-memory', kind: 'internal', message: 'Reading the PDF took more memory than there is for it.', advice: 'Replace its content by a simpler PDF; then requeue.' });
}
