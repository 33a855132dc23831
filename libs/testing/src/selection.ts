import { type SelectedFact, contractEntry, selectFact } from 'factline/contracts';

/**
 * A selection for a spec, written by hand: what an app reads is generated from its contracts.yaml, and anything else does not start.
 * @param app whose contract it stands for, where the software under test says which app it is.
 */
export function selectInSpec<Data extends object>(selected: Omit<SelectedFact<Data>, 'contract' | '$data'>, app = 'spec'): SelectedFact<Data> {
  return selectFact<Data>({ ...selected, contract: contractEntry(app, selected.factName, selected.schema) });
}
