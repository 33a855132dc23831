import { FactOutbox, Relay } from 'factline/outbox';
import type { OutgoingRecord } from 'factline/log';
import { produceRaw } from '../ceilings.js';
import { type Population, definitionsOn, factMaker, keyName } from '../employees.js';
import { topicFaults } from '../gates.js';
import { recordsOf } from '../history.js';
import { type Bench, type Measure, type Measurement, cpuSeconds, measured, median, perSecond } from '../measurement.js';
import { drainSkipLocked } from '../peers/skip-locked-relay.js';
import { PARTITIONS, type Scene, openScene, openTopic } from '../scene.js';

const KEYS = 1_000;
const FLOOR_ROWS_PER_SECOND = 100_000;

/** A backlog of committed outbox rows, drained by the relay up to the last acknowledgement, against kafkajs sending the same bytes from memory. */
export const relayDrain: Measure = async (bench) => {
  const { world, quick, say } = bench;
  const rows = quick ? 60_000 : 200_000;
  const rounds = quick ? 1 : 3;
  const population: Population = { keys: KEYS, each: (rows / KEYS) * rounds };
  const scene = await openScene(world, 'relay');
  const rawTopic = await openTopic(world, scene.log, 'relay-raw');
  const drained: { ms: number; cpu: number }[] = [];
  const raw: number[] = [];
  let bytes = 0;
  for (let round = 0; round < rounds; round++) {
    const [from, to] = [(round * rows) / KEYS + 1, ((round + 1) * rows) / KEYS];
    say(`relay-drain: stating ${rows} facts`);
    await state(scene, population, from, to);
    const records = encoded(scene, population, from, to);
    bytes = records.flat().reduce((sum, { value }) => sum + value.length, 0) / rows;
    const sendRaw = async () => void raw.push(await produceRaw(world.kafka, rawTopic, records));
    if (round % 2 === 0) await sendRaw();
    drained.push(await drain(scene, rows));
    if (round % 2 === 1) await sendRaw();
    say(`relay-drain: ${Math.round(perSecond(rows, drained.at(-1)!.ms))} rows/s, kafkajs alone ${Math.round(perSecond(rows, raw.at(-1)!))}`);
  }
  const ceiling = perSecond(rows, median(raw));
  const ours = measured({
    name: 'relay-drain',
    value: perSecond(rows, median(drained.map(({ ms }) => ms))),
    unit: 'rows/s',
    ceiling,
    ceilingName: 'kafkajs producer.send of the same bytes',
    floor: FLOOR_ROWS_PER_SECOND,
    faults: await topicFaults(world.kafka, scene.topic, expectedOf(population)),
    detail: { rows, rounds, bytesPerValue: Math.round(bytes), cpuMicrosecondsPerRow: Math.round((median(drained.map(({ cpu }) => cpu)) / rows) * 1e7) / 10 },
  });
  return bench.peers ? [ours, await peer(bench, scene, { keys: KEYS, each: rows / KEYS }, ceiling)] : [ours];
};

function expectedOf({ keys, each }: Population): Map<string, number> {
  return new Map(Array.from({ length: keys }, (_, key) => [keyName(key), each]));
}

async function state({ store, topic, idOf }: Scene, population: Population, from: number, to: number): Promise<void> {
  const outbox = new FactOutbox({ store, schemaIds: { idOf } });
  const fact = factMaker(topic, PARTITIONS, population);
  for (let sequence = from; sequence <= to; sequence++) {
    const facts = Array.from({ length: population.keys }, (_, key) => fact(key, sequence));
    await store.transaction((tx) => outbox.addMany(tx, facts));
  }
  await store.query('analyze factline.outbox');
}

function encoded({ topic, idOf }: Scene, population: Population, from: number, to: number): OutgoingRecord[][] {
  const byPartition: OutgoingRecord[][] = Array.from({ length: PARTITIONS }, () => []);
  const fact = factMaker(topic, PARTITIONS, population);
  for (const record of recordsOf({ partitions: PARTITIONS, keys: population.keys, from, to, idOf, fact })) byPartition[record.partition]!.push(record);
  return byPartition;
}

/** From the start of a relay that has never seen this backlog to the acknowledgement of its last row. */
async function drain({ store, log, topic }: Scene, rows: number): Promise<{ ms: number; cpu: number }> {
  const topics = [[...definitionsOn(topic, PARTITIONS).values()][0]!.topic];
  let sent = 0;
  let finish: (endedAt: number) => void;
  const finished = new Promise<number>((resolve) => (finish = resolve));
  const relay = new Relay({
    store,
    log,
    app: topics[0]!.owner,
    topics,
    observe: (point) => {
      if (point.name === 'page-sent' && (sent += point.rows) >= rows) finish(performance.now());
    },
  });
  const before = process.cpuUsage();
  const started = performance.now();
  relay.start();
  const endedAt = await finished;
  const cpu = cpuSeconds(before);
  await relay.stop();
  return { ms: endedAt - started, cpu };
}

async function peer({ world, say }: Bench, scene: Scene, population: Population, ceiling: number): Promise<Measurement> {
  const topic = await openTopic(world, scene.log, 'relay-skip-locked');
  const records = [...recordsOf({ partitions: PARTITIONS, keys: population.keys, from: 1, to: population.each, idOf: scene.idOf, fact: factMaker(topic, PARTITIONS, population) })];
  say(`peer-skip-locked-relay: draining ${records.length} rows`);
  const ms = await drainSkipLocked(scene.databaseUrl, world.kafka, topic, records);
  return measured({
    name: 'peer-skip-locked-relay',
    value: perSecond(records.length, ms),
    unit: 'rows/s',
    ceiling,
    ceilingName: 'kafkajs producer.send of the same bytes',
    faults: await topicFaults(world.kafka, topic, expectedOf(population)),
    detail: { rows: records.length },
  });
}
