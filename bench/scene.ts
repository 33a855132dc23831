import { type Fact, RegisteredSchemas, SchemaRegistry } from 'factline/contracts';
import type { FactLog } from 'factline/log';
import { migrateOutbox, watermarkTopic } from 'factline/outbox';
import { migrateProjections } from 'factline/projections';
import { type Store, schemaMemory } from 'factline/store';
import type { World } from 'factline/testing';
import { type Population, PRODUCED, factMaker } from './employees.js';
import { writeHistory } from './history.js';

/** As topic.yaml of hr.employee says. */
export const PARTITIONS = 6;
const TOPIC_SETTINGS = { 'message.timestamp.type': 'LogAppendTime', 'retention.ms': '-1', 'retention.bytes': '-1' };

/** One app's surroundings: a database with all tables of the product, registered schemas, and a topic. */
export interface Scene {
  world: World;
  databaseUrl: string;
  store: Store;
  log: FactLog;
  topic: string;
  schemas: RegisteredSchemas;
  /** The registered id of a fact type, asked once. */
  idOf: (type: Fact['type']) => number;
}

export async function openScene(world: World, name: string): Promise<Scene> {
  const log = world.log();
  return { world, log, topic: await openTopic(world, log, name), ...(await openDatabase(world, name)) };
}

export async function openTopic(world: World, log: FactLog, name: string): Promise<string> {
  const topic = world.topic(name);
  await log.createTopics([{ name: topic, partitions: PARTITIONS, settings: TOPIC_SETTINGS }, watermarkTopic]);
  return topic;
}

/** Another database beside the same topic, for another repetition. */
export async function openDatabase(world: World, name: string): Promise<Pick<Scene, 'databaseUrl' | 'store' | 'schemas' | 'idOf'>> {
  const databaseUrl = await world.database(name.replaceAll(/[^a-z0-9]/g, '_'));
  const store = world.store(databaseUrl);
  await migrateProjections(store);
  await migrateOutbox(store);
  const schemas = new RegisteredSchemas({ registry: new SchemaRegistry({ url: world.registryUrl }), memory: schemaMemory(store), produces: PRODUCED });
  await schemas.start();
  const ids = new Map(PRODUCED.map((type) => [type.factName, schemas.idOf(type)]));
  return { databaseUrl, store, schemas, idOf: ({ factName }) => ids.get(factName)! };
}

/** Fills the scene's topic with a population. @returns how long it took and how large its values are on average. */
export async function fill(scene: Scene, population: Population): Promise<{ facts: number; bytesPerFact: number; ms: number }> {
  const started = performance.now();
  const fact = factMaker(scene.topic, PARTITIONS, population);
  const bytes = await writeHistory(scene.log, scene.topic, { partitions: PARTITIONS, keys: population.keys, from: 1, to: population.each, idOf: scene.idOf, fact });
  const facts = population.keys * population.each;
  return { facts, bytesPerFact: bytes / facts, ms: performance.now() - started };
}
