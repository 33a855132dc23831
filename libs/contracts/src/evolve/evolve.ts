import { FactlineError } from 'factline/kernel';
import { today as currentDay } from '../day.js';
import { checkContracts } from '../check/check.js';
import type { Finding } from '../check/finding.js';
import { type Landscape, readLandscape } from '../check/landscape.js';
import type { History } from '../lock/history.js';
import { readLock } from '../lock/lock.js';
import { readContracts } from '../contract-file.js';
import { generateContracts } from '../generate.js';
import { type Deprecate, deprecate } from './deprecate.js';
import { type NewMajor, newMajor } from './new-major.js';
import { type Rename, rename } from './rename.js';
import { normalized } from '../trees/tree.js';
import { type FileChange, Workspace } from './workspace.js';

/** What to change, by its `kind`: `deprecate`, `rename`, `new-major`. */
export type Change = Deprecate | Rename | NewMajor;

export interface EvolveOptions {
  /** Folder of the schemas below the root. Default `schemas`. */
  readonly schemas?: string;
  /** Folder of the apps below the root. Default `apps`. */
  readonly apps?: string;
  /** `2026-11-21`. Default today, in UTC. */
  readonly today?: string;
}

/** A change of schemas and contracts that is computed and not written. */
export interface Evolution {
  readonly changes: readonly FileChange[];
  /** Unified, as `git apply` reads it. */
  readonly diff: string;
  /** `selects-deprecated`: what apps select, as of this change, that is on its way out. */
  readonly selectedBy: readonly Finding[];
  /** What is left for people to do, in order. */
  readonly next: readonly string[];
  /** @throws FactlineError `evolve.changed-meanwhile`, `evolve.exists` (conflict): nothing was written then. */
  write(): Promise<void>;
}

/**
 * Computes a change of the files under schemas/ and apps/ that breaks nobody, and leaves alone everything in them that it does not change.
 *
 * Promised: the files as they shall be were read back and checked against the files as they are and the versions in the lock file, by the rules of
 * `factline contracts check`, and types can be generated from them. A change that would add an error is refused. Not promised: that nobody outside these contracts reads the field.
 * @throws FactlineError `evolve.*` when the change makes no sense, `evolve.would-break` (refused) naming the findings; and as `readLandscape` and `generate` do.
 */
export async function evolve(root: string, change: Change, { schemas = 'schemas', apps = 'apps', today = currentDay() }: EvolveOptions = {}): Promise<Evolution> {
  const folders = { schemas: normalized(schemas), apps: normalized(apps) };
  const workspace = new Workspace(root);
  const before = await readLandscape(workspace, folders);
  const scene = { workspace, landscape: before, folders, today };
  const next = await stepsOf(change, scene);
  const after = await readLandscape(workspace, folders);
  const found = newFindings(before, after, await readLock(workspace, folders.schemas), today);
  const errors = found.filter(({ severity }) => severity === 'error');
  if (errors.length > 0) {
    throw new FactlineError({
      code: 'evolve.would-break',
      kind: 'refused',
      message: `It would be refused: ${errors.map(({ rule, fact, field, message }) => `${rule} ${field ? `${fact}.${field}` : fact}: ${message}`).join(' ')}`,
      advice: errors[0]!.advice,
      details: { findings: errors },
    });
  }
  for (const contract of await readContracts(workspace, folders.apps, after.schemas)) generateContracts(contract);
  return {
    changes: workspace.changes,
    diff: workspace.diff(),
    selectedBy: found.filter(({ rule }) => rule === 'selects-deprecated'),
    next: ['factline contracts gen, and commit what it writes.', ...next],
    write: () => workspace.write(),
  };
}

function stepsOf(change: Change, scene: Parameters<typeof deprecate>[0]): Promise<string[]> {
  switch (change.kind) {
    case 'deprecate':
      return deprecate(scene, change);
    case 'rename':
      return rename(scene, change);
    case 'new-major':
      return newMajor(scene, change);
  }
}

/** Against the files as they are and all that is registered. What was wrong before is nothing this change did. Each once. */
function newFindings(before: Landscape, after: Landscape, history: History | undefined, today: string): Finding[] {
  const base = { name: 'the files as they were', landscapes: [before], ...(history && { history }) };
  const judge = (now: Landscape) => checkContracts(now, [base], { today }).findings;
  const keyOf = ({ rule, fact, field, place, message }: Finding) => [rule, fact, field, place.file, message].join(' ');
  const known = new Set(judge(before).map(keyOf));
  const found = new Map(judge(after).map((finding) => [keyOf(finding), finding]));
  return [...found].filter(([key]) => !known.has(key)).map(([, finding]) => finding);
}
