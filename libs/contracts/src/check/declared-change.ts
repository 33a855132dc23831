import type { CompatibilityLevel } from '../facts.js';
import type { ConsumerVerdict, Place } from './finding.js';
import type { RuleId } from './rules.js';

/** One thing that is declared otherwise than it was. */
export interface DeclaredChange {
  /** What `name` names. */
  readonly of: 'fact' | 'topic' | 'app';
  readonly name: string;
  /** A field of the fact, a setting of the topic, a fact that the app states or reads; empty: the thing itself. */
  readonly path: string;
  readonly kind: 'added' | 'removed' | 'changed';
  readonly message: string;
  /** In the working tree: of what is gone, what was around it. Absent where nothing of it is left. */
  readonly place?: Place;
  /** Of a fact that was there and is: the level it is judged by, and whether it allows the change. */
  readonly level?: { readonly name: CompatibilityLevel; readonly allows: boolean };
  /** What `contracts check` finds in it, information left out. */
  readonly rules: readonly RuleId[];
  /** Whom it breaks or degrades; the worst first. */
  readonly consumers: readonly ConsumerVerdict[];
}

/** A change before it is judged. */
export type BareChange = Omit<DeclaredChange, 'level' | 'rules' | 'consumers'>;
