import { FactlineError } from 'factline/kernel';
import { fingerprintOf } from './canonical.js';
import type { ContractEntry, SelectedFact } from './facts.js';

/** What `factline contracts gen` writes beside a selection. */
export function contractEntry(app: string, factName: string, schema: object): ContractEntry {
  return { app, seal: fingerprintOf({ app, factName, schema }) };
}

/**
 * Refuses selections that no contract declares: written by hand, changed after they were generated, or (when `app` is given) generated for another app.
 * All of them at once. It holds people to what was declared and reviewed; it is no lock: who can change the software can change this.
 * @throws FactlineError `contract.undeclared` (configuration) with the app, each fact and the command to run.
 */
export function refuseUndeclared(facts: readonly SelectedFact[], app?: string): void {
  const faults = facts.flatMap((fact) => {
    const fault = faultOf(fact, app);
    return fault === undefined ? [] : [{ fact: fact.factName, fault }];
  });
  if (faults.length === 0) return;
  const who = app ?? facts.find(({ contract }) => (contract as ContractEntry | undefined)?.app !== undefined)?.contract.app;
  throw new FactlineError({
    code: 'contract.undeclared',
    kind: 'configuration',
    message: `${who === undefined ? 'This app' : `The app '${who}'`} has no contract to read ${faults.map(({ fact, fault }) => `${fact} (${fault})`).join(', ')}.`,
    advice: `Declare what is read, with select and purpose, under 'consumes' in apps/${who ?? '<app>'}/contracts.yaml, run \`npx factline contracts gen\`, and import it from there.`,
    details: { app: who, facts: faults },
  });
}

function faultOf({ factName, schema, contract }: SelectedFact, app: string | undefined): string | undefined {
  const entry = contract as ContractEntry | undefined; // absent in what was written by hand or generated long ago
  if (entry === undefined) return 'it was not generated from a contracts.yaml';
  if (entry.seal !== contractEntry(entry.app, factName, schema).seal) return 'it was changed after it was generated';
  if (app !== undefined && entry.app !== app) return `it was generated for '${entry.app}'`;
  return undefined;
}
