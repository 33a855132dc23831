import type { Landscape } from '../check/landscape.js';
import type { Place } from '../check/finding.js';
import type { FileTree } from '../trees/tree.js';
import type { RawContract } from '../raw-contract.js';
import { diffOf } from '../evolve/diff.js';
import { type Trimming, trimmedContract } from './edit.js';
import { loadParser } from './syntax.js';
import { type Usage, usagesOf } from './usage.js';

/** What can be taken out of one contract, and what somebody has to look at. */
export interface TrimPlan {
  readonly app: string;
  readonly file: string;
  readonly trimmings: readonly Trimming[];
  readonly before: string;
  readonly after: string;
  /** What changes, unified, as `git apply` reads it; empty when nothing does. */
  readonly diff: string;
  /** Entries that are not trimmed, each with the reason and what to do. */
  readonly left: readonly { readonly fact: string; readonly place: Place; readonly reason: 'unused' | 'nothing-left' | 'wildcard'; readonly unread: readonly string[] }[];
  /** Facts that go where they cannot be followed: their fields count as read. */
  readonly lost: readonly { readonly fact: string; readonly at: string }[];
}

/**
 * Selected fields that no code reads, and each contract's text without them. Nothing is written.
 * @param apps only these; absent: all. @throws FactlineError `trim.parser-missing`, `trim.not-editable` (configuration)
 */
export async function planTrims(now: Landscape, tree: FileTree, apps?: readonly string[]): Promise<TrimPlan[]> {
  const parse = await loadParser();
  const plans: TrimPlan[] = [];
  for (const contract of now.contracts) {
    if (apps && !apps.includes(contract.app)) continue;
    plans.push(planOf(contract, await usagesOf(contract, now.schemas, tree, parse), await tree.read(contract.file), now));
  }
  return plans;
}

function planOf({ app, file }: RawContract, usages: readonly Usage[], before: string, { places }: Landscape): TrimPlan {
  const judged = usages.map((usage) => ({ ...usage, reason: reasonToLeave(usage) }));
  const trimmings = judged.filter(({ reason, unread }) => reason === undefined && unread.length > 0).map(({ entry, unread }) => ({ fact: entry.fact, fields: unread }));
  const draft = trimmedContract(before, file, trimmings);
  return {
    app,
    file,
    trimmings,
    before,
    after: draft.after,
    diff: diffOf(draft),
    left: judged.flatMap(({ entry, unread, reason }) => (reason ? [{ fact: entry.fact, place: places.inFile(file, entry.path), reason, unread }] : [])),
    lost: usages.flatMap(({ entry, lost }) => (lost === undefined ? [] : [{ fact: entry.fact, at: lost }])),
  };
}

function reasonToLeave({ entry: { select }, unread, used }: Usage): TrimPlan['left'][number]['reason'] | undefined {
  if (!used) return 'unused';
  if (unread.length === 0) return undefined;
  if (select === '*') return 'wildcard';
  return unread.length === select.length ? 'nothing-left' : undefined;
}
