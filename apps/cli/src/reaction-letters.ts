import { RegisteredSchemas, SchemaRegistry } from 'factline/contracts';
import { kafkaLog } from 'factline/log';
import type { RebuildConnections } from 'factline/projections';
import { ReactionDeadLetters, knownReactions } from 'factline/reactions';
import { Store, schemaMemory } from 'factline/store';

/** With the dead letters of reactions of that name, if the app has any. @returns undefined: it has none, so a read model is meant. */
export async function withReactionLetters(name: string, { databaseUrl, kafka, registryUrl }: RebuildConnections, run: (letters: ReactionDeadLetters) => Promise<number | void>): Promise<{ code: number | void } | undefined> {
  const store = new Store({ url: databaseUrl, applicationName: 'factline dead-letters', connections: 2 });
  try {
    if (!(await knownReactions(store)).some((known) => known.name === name)) return undefined;
    const log = kafkaLog({ ...kafka, clientId: 'factline-dead-letters' });
    try {
      const schemas = new RegisteredSchemas({ registry: new SchemaRegistry({ url: registryUrl }), memory: schemaMemory(store) });
      await schemas.start();
      return { code: await run(new ReactionDeadLetters(name, store, log, schemas)) };
    } finally {
      await log.close();
    }
  } finally {
    await store.close();
  }
}
