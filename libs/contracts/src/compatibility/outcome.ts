import type { Incompatibility } from './incompatibility.js';

/** A fault that is put into words only when somebody asks: most are met on the way to a branch that fits. */
export interface Fault {
  /** For a union: what its most similar branch lacks. */
  readonly because?: Outcome | undefined;
  tell(reasons: readonly string[]): Incompatibility;
}

/** What is known of one pair of types. `parts` are the pairs below it whose faults count as well. */
export interface Outcome {
  readonly compatible: boolean;
  readonly own: readonly Fault[];
  readonly parts: readonly Outcome[];
}

export const COMPATIBLE: Outcome = { compatible: true, own: [], parts: [] };

const REASONS_SHOWN = 3;

export function merged(own: readonly Fault[], parts: readonly Outcome[] = []): Outcome {
  const faulty = parts.filter(({ compatible }) => !compatible);
  return own.length === 0 && faulty.length === 0 ? COMPATIBLE : { compatible: false, own, parts: faulty };
}

/** Each fault once, in the order of the walk: what many types share is one outcome. */
export function faultsOf(outcome: Outcome): Incompatibility[] {
  return Array.from(eachFault(outcome), (fault) => fault.tell(fault.because ? reasonsOf(fault.because) : []));
}

/** The innermost faults, through unions in unions. */
function reasonsOf(outcome: Outcome): string[] {
  const reasons: string[] = [];
  const open = [outcome];
  for (let next = open.pop(); next && reasons.length < REASONS_SHOWN; next = open.pop()) {
    for (const fault of eachFault(next)) {
      if (fault.because) open.push(fault.because);
      else if (reasons.push(fault.tell([]).message) === REASONS_SHOWN) break;
    }
  }
  return reasons;
}

function* eachFault(outcome: Outcome): Generator<Fault, void, undefined> {
  const met = new Set<Fault | Outcome>();
  const open = [outcome];
  for (let next = open.pop(); next; next = open.pop()) {
    if (met.has(next)) continue;
    met.add(next);
    for (const fault of next.own) {
      if (met.has(fault)) continue;
      met.add(fault);
      yield fault;
    }
    open.push(...next.parts.toReversed());
  }
}
