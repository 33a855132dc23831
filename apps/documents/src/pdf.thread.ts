import { parentPort, workerData } from 'node:worker_threads';
import { getDocumentProxy } from 'unpdf';

/*
 * Reads one PDF in a thread of its own, which whoever started it ends when it takes too long or too much: the file is a stranger's. This file imports packages alone, so that specs
 * may run it from source.
 */

export interface PdfTask {
  readonly content: Uint8Array;
  readonly maxPages: number;
  readonly maxCharacters: number;
}

export type PdfOutcome =
  | { readonly type: 'text'; readonly pages: readonly string[] }
  | { readonly type: 'refused'; readonly reason: 'NOT_A_PDF' | 'ENCRYPTED' | 'TOO_LONG' }
  | { readonly type: 'too-many-pages'; readonly pages: number }
  | { readonly type: 'failed'; readonly message: string };

export type PdfMessage = PdfOutcome | { readonly type: 'progress'; readonly page: number; readonly pages: number };

const REFUSED: Readonly<Record<string, 'NOT_A_PDF' | 'ENCRYPTED'>> = { InvalidPDFException: 'NOT_A_PDF', PasswordException: 'ENCRYPTED' };

async function read({ content, maxPages, maxCharacters }: PdfTask): Promise<PdfOutcome> {
  const document = await getDocumentProxy(content, { isEvalSupported: false, enableXfa: false, verbosity: 0 });
  if (document.numPages > maxPages) return { type: 'too-many-pages', pages: document.numPages };
  const pages: string[] = [];
  let characters = 0;
  for (let number = 1; number <= document.numPages; number++) {
    const page = await document.getPage(number);
    const { items } = await page.getTextContent();
    const text = items.map((item) => ('str' in item ? `${item.str}${item.hasEOL ? '\n' : ''}` : '')).join('');
    characters += text.length;
    if (characters > maxCharacters) return { type: 'refused', reason: 'TOO_LONG' };
    pages.push(text);
    page.cleanup();
    tell({ type: 'progress', page: number, pages: document.numPages });
  }
  return { type: 'text', pages };
}

function tell(message: PdfMessage): void {
  parentPort!.postMessage(message);
}

try {
  tell(await read(workerData as PdfTask));
} catch (error) {
  const { name, message } = error as Error;
  const reason = REFUSED[name];
  tell(reason ? { type: 'refused', reason } : { type: 'failed', message });
}
