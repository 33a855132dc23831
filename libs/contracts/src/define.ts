import { checkedType } from './checked-types.js';
import type { Fact, FactContext, FactDefinition, FactType, SelectedFact } from './facts.js';
import { compileCheck } from './value-check.js';

/** Makes the callable fact type of a producer. Generated code calls this; by hand it is useful in tests only. */
export function defineFact<Data extends object, KeyField extends string & keyof Data>(
  definition: FactDefinition & { readonly keyField: KeyField },
): FactType<Data, KeyField> {
  const type = (key: string, data: Omit<Data, KeyField>, context: FactContext = {}): Fact<Data> => ({
    type: definition,
    key,
    data: { ...data, [definition.keyField]: key } as unknown as Data,
    context,
  });
  return Object.assign(type, definition);
}

/** Data as this selection reads it, for tools that make or change it by hand. @throws FactlineError `fact.invalid` with `details.path`. */
export function checkSelected<Data extends object>({ schema }: SelectedFact<Data>, data: unknown): Data {
  return compileCheck(checkedType(schema))(data, '') as Data;
}

/** Declares what a consumer reads of a fact type. Generated code calls this; specs call `selectInSpec` of factline/testing, since what no contract declares is not read. */
export function selectFact<Data extends object>(selected: Omit<SelectedFact, '$data'>): SelectedFact<Data> {
  return selected;
}
