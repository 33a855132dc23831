import type { AvroNode } from '../avro-json.js';
import { forward, replay } from './consumers.js';
import type { Place, Verdict } from './finding.js';
import type { History } from '../lock/history.js';
import { type Base, type Landscape, consumptionsOf, selectOf, statedIn } from './landscape.js';
import { Readings } from './readings.js';

/** One thing between the app that is to be deployed and what runs there. */
export interface DeployObstacle {
  /** `reads`: the app reads what somebody else states; `is-read`: somebody else reads what it states. */
  readonly side: 'reads' | 'is-read';
  readonly fact: string;
  /** The other app: who states the fact, or who reads it; empty when nobody declares the fact. */
  readonly other: string;
  /** Where the other one's declaration was read: `prod 4f1c2a9`, `version 3 (lock)`. */
  readonly tree: string;
  readonly verdict: Verdict | 'ABSENT';
  readonly reasons: readonly { readonly field: string; readonly message: string }[];
  readonly place: Place;
}

/** Whether an app can run in an environment, and what is in its way. */
export interface DeployAnswer {
  readonly app: string;
  readonly environment: string;
  /** Nothing is BROKEN. What is DEGRADED or ABSENT is told. */
  readonly deployable: boolean;
  readonly obstacles: readonly DeployObstacle[];
  /** Pairs of the app with another that were judged. */
  readonly judged: number;
}

/**
 * Whether an app can be deployed as it is declared, beside what an environment runs now: it can read what is stated there and what was stated before, and
 * everybody there can read what it will state. The declarations at the deployed commits are asked, never a broker.
 * @param history what was registered, so that its read models can be rebuilt from offset zero; without it only what is stated now is judged.
 */
export function canDeploy(app: string, candidate: Landscape, environment: Base, history: History | undefined): DeployAnswer {
  const readings = new Readings();
  const others = environment.landscapes.map((landscape) => ({ landscape, byFact: consumptionsOf({ ...landscape, contracts: landscape.contracts.filter((contract) => contract.app !== app) }) }));
  const judged: DeployObstacle[] = [];
  for (const [fact, consumptions] of consumptionsOf(candidate)) {
    const consumption = consumptions.find((one) => one.app === app);
    if (!consumption) continue;
    const { file, entry } = consumption;
    const known = candidate.schemas.facts.get(fact);
    const at = { side: 'reads', fact, other: known?.topic.owner ?? '', place: candidate.places.inFile(file, entry.path) } as const;
    if (!known || !readings.has(known.schema, selectOf(entry))) {
      judged.push({ ...at, tree: candidate.name, verdict: 'BROKEN', reasons: [{ field: '', message: 'it selects what its own schemas do not have: its types cannot be generated, and it does not start' }] });
      continue;
    }
    if (known.topic.owner === app) continue;
    // A field that was not stated yet comes from its default: that is what the default is for, and no news.
    const read = (stated: AvroNode) => replay(readings, selectOf(entry), known.schema, [{ names: [], schema: stated, last: true }]);
    const producer = environment.landscapes.find((landscape) => statedIn(landscape, fact));
    if (!producer) judged.push({ ...at, tree: environment.name, verdict: 'ABSENT', reasons: [{ field: '', message: `nobody states it in ${environment.name}` }] });
    else judged.push({ ...at, tree: producer.name, ...read(statedIn(producer, fact)!.schema) });
    for (const { version, schema } of history?.subjects.get(fact)?.versions ?? []) {
      judged.push({ ...at, tree: `version ${version} (${history!.name})`, ...read(schema) });
    }
  }
  for (const { landscape, byFact } of others) {
    for (const [fact, consumptions] of byFact) {
      const theirs = landscape.schemas.facts.get(fact);
      if (theirs?.topic.owner !== app) continue;
      for (const { app: other, file, entry } of consumptions) {
        judged.push({ side: 'is-read', fact, other, tree: landscape.name, place: landscape.places.inFile(file, entry.path), ...forward(readings, selectOf(entry), theirs.schema, statedIn(candidate, fact)?.schema) });
      }
    }
  }
  const obstacles = judged.filter(({ verdict }) => verdict !== 'SAFE');
  return { app, environment: environment.name, deployable: obstacles.every(({ verdict }) => verdict !== 'BROKEN'), obstacles, judged: judged.length };
}
