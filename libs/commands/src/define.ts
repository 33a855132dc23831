import type { Command, CommandType, FactContext, FactDefinition, SelectedCommand } from 'factline/contracts';

/** Makes the callable command type of a sender, as `defineFact` does for facts. Generated code calls this; by hand it is useful in tests only. */
export function defineCommand<Data extends object, KeyField extends string & keyof Data>(
  definition: FactDefinition & { readonly keyField: KeyField },
): CommandType<Data, KeyField> {
  const type = (key: string, data: Omit<Data, KeyField>, context: FactContext = {}): Command<Data> => ({
    type: definition,
    key,
    data: { ...data, [definition.keyField]: key } as unknown as Data,
    context,
    command: true,
  });
  return Object.assign(type, definition);
}

/** Declares what the owner of a queue reads of a command type. Generated code calls this; specs call `selectCommandInSpec` of factline/testing. */
export function selectCommand<Data extends object>(selected: Omit<SelectedCommand, '$data' | 'command'>): SelectedCommand<Data> {
  return { ...selected, command: true };
}
