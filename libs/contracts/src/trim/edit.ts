import { declarationError } from '../declaration-error.js';
import { Draft } from '../evolve/draft.js';
import { type RawConsumption, parseRaw } from '../raw-contract.js';

/** Fields to take out of the selection of one fact. */
export interface Trimming {
  readonly fact: string;
  readonly fields: readonly string[];
}

/**
 * A contracts.yaml without some selected fields. Everything else keeps its bytes, comments and formatting included; a comment behind a field goes with it.
 * @throws FactlineError `trim.not-editable` (configuration) for a selection that is written through an alias, and where nothing would be left of one.
 */
export function trimmedContract(text: string, file: string, trimmings: readonly Trimming[]): Draft {
  const { consumes } = parseRaw(text, file);
  const draft = new Draft(file, text);
  for (const { fact, select, path } of consumes) {
    const fields = new Set(trimmings.find((trimming) => trimming.fact === fact)?.fields);
    if (fields.size === 0) continue;
    const indexes = select === '*' ? [] : [...select.keys()].filter((at) => fields.has(select[at]!.field));
    if (indexes.length === 0 || !draft.removeItems(`${path}.select`, indexes)) throw notEditable(file, path, fields);
  }
  const found = parseRaw(draft.after, file).consumes;
  for (const [at, { fact, select, path }] of consumes.entries()) {
    const fields = new Set(trimmings.find((trimming) => trimming.fact === fact)?.fields);
    if (namesOf(select).filter((name) => !fields.has(name)).join('\n') !== namesOf(found[at]!.select).join('\n')) throw notEditable(file, path, fields);
  }
  return draft;
}

function namesOf(select: RawConsumption['select']): readonly string[] {
  return select === '*' ? ['*'] : select.map(({ field }) => field);
}

function notEditable(file: string, path: string, fields: ReadonlySet<string>): Error {
  const names = [...fields];
  return declarationError('trim.not-editable', { file, path: `${path}.select` }, `its selection cannot be changed without changing more of the file${names.length > 0 ? ` (${names.join(', ')})` : ''}.`, 'Take the fields out by hand.', { fields: names });
}
