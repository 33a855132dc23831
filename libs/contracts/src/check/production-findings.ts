import { type Finding, findingAt } from './finding.js';
import type { Landscape } from './landscape.js';

/** Entries of the working tree for facts that no app can state: that nobody declares, or on somebody else's topic, unless it is a queue, to which every app may send. What was declared at a base is a removal, which is told as one. */
export function productionFindings(now: Landscape, before: readonly Landscape[]): Finding[] {
  return now.contracts.flatMap(({ app, file, produces }) =>
    produces.flatMap(({ name, path }): Finding[] => {
      const fact = now.schemas.facts.get(name);
      const at = { fact: name, field: '', place: now.places.inFile(file, path) };
      if (fact) return fact.topic.owner === app || fact.topic.kind === 'commands' ? [] : [findingAt('produces-foreign', at, `${name} lies on the topic ${fact.topic.name}, which '${fact.topic.owner}' owns, not '${app}'.`)];
      if (before.some(({ schemas }) => schemas.facts.has(name))) return [];
      return [findingAt('produces-unknown', at, `There is no fact '${name}'.`)];
    }),
  );
}
