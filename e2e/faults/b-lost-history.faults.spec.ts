import { readFileSync, readdirSync, statSync, truncateSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { stackEnvironment } from 'factline/stack';
import { type World, until, world } from 'factline/testing';
import { PARTITIONS } from '../../bench/scene.js';
import { slow } from '../support/fault-rows.js';
import { type Model, ModelScene } from '../support/model-scene.js';
import { type ProxiedStack, startProxiedStack } from '../support/proxied-stack.js';

const STACK_STARTS_WITHIN = 180_000;
const KEPT_FOR_EVER = { 'message.timestamp.type': 'LogAppendTime', 'retention.ms': '-1', 'retention.bytes': '-1' };

let stack: ProxiedStack;
let at: World;
let scene: ModelScene | undefined;

beforeAll(async () => {
  stack = await startProxiedStack(1, { kafka: { 'log.retention.check.interval.ms': '300', 'log.initial.task.delay.ms': '100' } });
  at = await world(stackEnvironment(stack));
}, STACK_STARTS_WITHIN);

afterEach(async () => {
  await scene?.close();
  scene = undefined;
});

afterAll(async () => {
  await at?.close();
  await stack?.stop();
});

/** A topic with facts in it, of which all are applied; with settings of its own where a row needs some. */
const opened = async (name: string, settings: Record<string, string> = {}): Promise<ModelScene> => {
  const log = at.log();
  await log.createTopics([{ name: at.topic(name), partitions: PARTITIONS, settings: { ...KEPT_FOR_EVER, ...settings } }]);
  scene = await ModelScene.open(at, name);
  await scene.state(40);
  return scene;
};

const halted = ({ status }: Model) => status.partitions.filter((each) => each.halted);

/** What a projection says that lost its place, and what it leaves as it is. */
async function expectGap(model: Model, reason: RegExp): Promise<void> {
  const rows = await model.rows();
  await model.reaches('GAP');
  expect(model.status.trouble).toMatchObject({ code: 'consumer.gap', reason: expect.stringMatching(reason) as string, advice: expect.stringContaining('factline replay run') as string });
  expect(await model.rows()).toEqual(rows);
  expect(await model.letters()).toEqual([]);
}

describe('the tail of the log is lost', () => {
  /** The broker is killed, and half of what it has of the partition of a key is cut off: what a disk that lied leaves. */
  const loseTail = async ({ topic }: ModelScene) => {
    const folder = join(brokerFolder(stack.parts.kafka.pid!), 'kafka-1-data');
    await stack.parts.kafka.kill('SIGKILL');
    const partitions = readdirSync(folder).filter((name) => name.startsWith(`${topic}-`));
    const files = partitions.map((name) => join(folder, name, '00000000000000000000.log')).filter((file) => statSync(file).size > 0);
    for (const file of files) truncateSync(file, Math.floor(statSync(file).size / 2));
    await stack.parts.kafka.start();
    return files.length;
  };

  slow('B8: under a read model that runs: its partitions halt as GAP, and nothing of it is changed', async () => {
    const lost = await opened('tail_running');
    const model = await lost.model('b8_running');
    await model.settled();
    const partitions = await loseTail(lost);
    await expectGap(model, /the log has 0 to \d+|its tail was lost/);
    await until('every partition to halt', () => halted(model).length === partitions);
  });

  slow('B8: under one that was stopped, also when as much is written again: the fact at its position is another one', async () => {
    const lost = await opened('tail_stopped');
    const model = await lost.model('b8_stopped');
    await model.settled();
    await model.stop();
    await loseTail(lost);
    await lost.state(80);
    await expectGap(await lost.model('b8_stopped'), /no longer at its offset|its tail was lost/);
  });

  slow('B8: control: a broker that is killed and loses nothing is no gap', async () => {
    const kept = await opened('tail_kept');
    const model = await kept.model('b8_kept');
    await model.settled();
    await stack.parts.kafka.kill('SIGKILL');
    await stack.parts.kafka.start();
    await kept.state(8);
    await model.settled();
  });
});

it('B9: a topic that was deleted and created again is another one: a read model of the old one halts as GAP, running or stopped', async () => {
  const old = await opened('recreated');
  const running = await old.model('b9_running');
  const stopped = await old.model('b9_stopped');
  await running.settled();
  await stopped.settled();
  await stopped.stop();
  await old.log.deleteTopics([old.topic]);
  await old.log.createTopics([{ name: old.topic, partitions: PARTITIONS, settings: KEPT_FOR_EVER }]);
  await old.state(80); // so that every position is in the new topic too
  await expectGap(running, /deleted and created again/);
  await expectGap(await old.model('b9_stopped'), /deleted and created again/);
});

it('B10: retention passes a read model that is stopped: it halts as GAP and does not jump, and the partitions that are whole go on', async () => {
  const short = await opened('retention', { 'retention.bytes': '1', 'segment.bytes': '1048576' });
  const model = await short.model('b10');
  await model.settled();
  await model.stop();
  await short.stateLarge('k0', 400, 8_000);
  const starts = async () => (await short.log.describe([short.topic]))[0]!.partitions.map(({ start }) => start);
  await until('retention to have removed what was never applied', async () => (await starts()).some((start) => start > 40), 90_000);
  const again = await short.model('b10');
  await expectGap(again, /retention removed facts that were never applied/);
  expect(halted(again)).toHaveLength(1);
});

it('B15: a group that the broker has forgotten changes nothing: the position is the one in the database', async () => {
  const forgotten = await opened('forgotten');
  const model = await forgotten.model('b15');
  await model.settled();
  await model.stop();
  await forgotten.state(8);
  const again = await forgotten.model('b15', { group: `${forgotten.topic}.unknown-to-the-broker` });
  await again.settled();
  expect({ facts: again.status.counts.facts, duplicates: again.live.engine.duplicates }).toEqual({ facts: 8, duplicates: 0 });
});

/** Where a broker of a stack keeps its properties and data: its last argument is the path of the properties. */
function brokerFolder(pid: number): string {
  const properties = readFileSync(`/proc/${pid}/cmdline`, 'utf8').split('\0').findLast((argument) => argument.endsWith('.properties'));
  return dirname(properties!);
}
