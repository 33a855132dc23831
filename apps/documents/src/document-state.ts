import { type JobStatus } from 'factline/commands';
import { Refusal } from 'factline/kernel';
import { shownJob } from 'factline/nest/commands';
import type { DocumentRow } from './documents.repository.js';
import { CHARACTERS } from './limits.js';
import type { Unusable } from './parser.js';

/** A document as its users see it, over all of its stages. */
export interface DocumentState extends Omit<DocumentRow, 'reason'> {
  /**
   * `queued` and `running` on its way; `indexed`: found by its words; `failed`: stated, for it cannot be indexed as it is; `stuck`: an operator has to look, and it goes on when its key is
   * requeued; `cancelled`: somebody took its job back.
   */
  readonly state: 'queued' | 'running' | 'indexed' | 'failed' | 'stuck' | 'cancelled';
  /** Over all stages. */
  readonly progress: { readonly share: number; readonly text: string | null };
  readonly problem: { readonly code: string; readonly message: string; readonly advice: string } | null;
}

const STAGES = ['PARSE', 'CHUNK', 'INDEX'] as const;

/** @param job of its stage; undefined: retention took it, which it does to what was taken back or given up. */
export function stateOf({ reason, ...row }: DocumentRow, job: JobStatus | undefined): DocumentState {
  if (row.stage === 'INDEXED') return { ...row, state: 'indexed', progress: { share: 1, text: null }, problem: null };
  if (row.stage === 'FAILED') return { ...row, state: 'failed', progress: { share: 0, text: null }, problem: problemOf(reason!) };
  const share = (STAGES.indexOf(row.stage) + (job?.progress?.share ?? 0)) / STAGES.length;
  const problem = job?.problem ? shownJob(job).problem : null;
  return { ...row, state: stateOfJob(job), progress: { share, text: job?.progress?.text ?? null }, problem: problem && { code: problem.code, message: problem.message, advice: problem.advice } };
}

function stateOfJob(job: JobStatus | undefined): DocumentState['state'] {
  switch (job?.state) {
    case 'running':
      return 'running';
    case 'failed':
    case 'blocked':
      return 'stuck';
    case 'cancelled':
    case undefined:
      return 'cancelled';
    default:
      return 'queued';
  }
}

const PROBLEMS: Readonly<Record<Unusable, readonly [code: string, message: string, advice: string]>> = {
  NOT_A_PDF: ['document.not-a-pdf', 'The file is no PDF, or a broken one.', 'Export it anew, and put it in its place.'],
  ENCRYPTED: ['document.encrypted', 'The PDF is protected by a password.', 'Put one without a password in its place.'],
  NO_TEXT: ['document.no-text', 'There is no text in the file.', 'A scan is a picture: have its text recognised, and put the result in its place.'],
  TOO_LONG: ['document.too-long', `The text has more than ${CHARACTERS} characters.`, 'Upload it in parts.'],
};

function problemOf(reason: Unusable): DocumentState['problem'] {
  const [code, message, advice] = PROBLEMS[reason];
  return { code, message, advice };
}

export const unknown = (id: string) => new Refusal({ code: 'document.unknown', kind: 'not-found', message: `There is no document '${id}'.`, advice: 'Check the id.' });
