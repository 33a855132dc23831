import { selectCommand } from 'factline/commands';
import { type SelectedCommand, type SelectedFact, contractEntry, selectFact } from 'factline/contracts';

/**
 * A selection for a spec, written by hand: what an app reads is generated from its contracts.yaml, and anything else does not start.
 * @param app whose contract it stands for, where the software under test says which app it is.
 */
export function selectInSpec<Data extends object>(selected: Omit<SelectedFact<Data>, 'contract' | '$data'>, app = 'spec'): SelectedFact<Data> {
  return selectFact<Data>({ ...selected, contract: contractEntry(app, selected.factName, selected.schema) });
}

/** The same of a command, as its owner handles it. */
export function selectCommandInSpec<Data extends object>(selected: Omit<SelectedCommand<Data>, 'contract' | 'command' | '$data'>): SelectedCommand<Data> {
  return selectCommand<Data>({ ...selected, contract: contractEntry(selected.owner, selected.factName, selected.schema) });
}

/** The metadata that every fact begins with, as schemas/factline/Meta.avsc has it. */
const META = {
  type: 'record',
  name: 'Meta',
  namespace: 'factline',
  fields: [
    { name: 'id', type: { type: 'fixed', name: 'FactId', size: 16 } },
    { name: 'sequence', type: 'long' },
    { name: 'occurredAt', type: { type: 'long', logicalType: 'timestamp-micros' } },
    { name: 'correlationId', type: 'string' },
    { name: 'causationId', type: 'string' },
    { name: 'actor', type: ['null', 'string'], default: null },
  ],
};

/** The writer schema of a fact for a spec: its metadata, then these fields. @param factName `spec.JobDone` */
export function factSchemaInSpec(factName: string, fields: readonly object[]): object {
  const dot = factName.lastIndexOf('.');
  return { type: 'record', name: factName.slice(dot + 1), namespace: factName.slice(0, dot), fields: [{ name: 'meta', type: META }, ...fields] };
}
