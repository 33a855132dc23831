import { type FactType, RegisteredSchemas, SchemaRegistry, defineFact, loadSchemas } from 'factline/contracts';
import { FactlineError, Signal } from 'factline/kernel';
import { FactOutbox, Relay, type Stated, migrateOutbox, watermarkTopic } from 'factline/outbox';
import { schemaMemory } from 'factline/store';
import type { World } from './world.js';

type AnyFact = FactType<Record<string, unknown>, string>;

/** Another app, as a consumer's spec sees it: somebody who states facts. */
export interface FactOwner {
  /** States one fact in a transaction of its own; it is published soon after. @throws FactlineError `testing.not-its-fact`, and as `FactOutbox.add` does. */
  state(factName: string, key: string, data: Readonly<Record<string, unknown>>): Promise<Stated>;
  /** The same for several facts, in one transaction. */
  stateAll(facts: readonly (readonly [factName: string, key: string, data: Readonly<Record<string, unknown>>])[]): Promise<Stated[]>;
}

/**
 * Stands for the owner of facts in the spec of an app that reads them: with a database, an outbox and a relay of its own, and all facts that the schemas below `folder`
 * declare for `app`. Topics are the declared ones, which specs share; so keys must begin with the world's name. Everything ends with the world.
 * @throws FactlineError `testing.not-its-fact` (configuration) when the app owns no topic there.
 */
export async function factOwner(here: World, app: string, folder = 'schemas'): Promise<FactOwner> {
  const { facts } = await loadSchemas(folder);
  const types = new Map<string, AnyFact>();
  for (const [name, declaration] of facts) {
    if (declaration.topic.owner === app) types.set(name, defineFact<Record<string, unknown>, string>({ ...declaration, keyField: declaration.topic.keyField }) as unknown as AnyFact);
  }
  const produces = [...types.values()];
  const topics = [...new Map(produces.map(({ topic }) => [topic.name, topic])).values()];
  if (topics.length === 0) throw notIts(app, 'any fact', folder);
  const store = here.store(await here.database(`${app.replaceAll('-', '_')}_owner`));
  await migrateOutbox(store);
  const schemas = new RegisteredSchemas({ registry: new SchemaRegistry({ url: here.registryUrl }), memory: schemaMemory(store), produces });
  await schemas.start();
  const log = here.log();
  await log.createTopics([...topics.map(({ name, partitions, settings }) => ({ name, partitions, settings })), watermarkTopic]);
  const wake = new Signal();
  const outbox = new FactOutbox({ store, schemaIds: schemas, wake });
  const relay = new Relay({ store, log, app, topics, wake });
  relay.start();
  here.onClose(() => relay.stop());
  const stateAll: FactOwner['stateAll'] = (given) =>
    store.transaction(async (tx) => {
      const stated: Stated[] = [];
      for (const [name, key, data] of given) {
        const type = types.get(name);
        if (!type) throw notIts(app, `'${name}'`, folder);
        stated.push(await outbox.add(tx, type(key, data)));
      }
      return stated;
    });
  return { stateAll, state: async (...fact) => (await stateAll([fact]))[0]! };
}

function notIts(app: string, what: string, folder: string): FactlineError {
  return new FactlineError({
    code: 'testing.not-its-fact',
    kind: 'configuration',
    message: `The app '${app}' does not own ${what} in ${folder}.`,
    advice: 'The owner of a topic stands in its topic.yaml; check the names of app and fact.',
  });
}
