import { FactDecoder, FactEncoder, RegisteredSchemas, type RememberedSchema, SchemaRegistry, type WriterSchemas, defineFact, withSequence } from 'factline/contracts';
import { type World, selectInSpec, until, world } from 'factline/testing';
import { EmployeeMoved } from '../../apps/hr/src/contracts.generated.js';
import { FaultProxy } from '../support/fault-proxy.js';
import { ModelScene } from '../support/model-scene.js';

/** No registry gives ids so high; far from the made-up ones of other specs. */
const NOBODYS_ID = 1_900_000_001;

let at: World;
let scene: ModelScene;

beforeAll(async () => {
  at = await world();
});
afterEach(() => scene.close());
afterAll(() => at.close());

/** The schemas of an app with this memory, which asks this registry. */
async function schemasOf(registryUrl: string, remembered: readonly RememberedSchema[] = []): Promise<WriterSchemas> {
  const schemas = new RegisteredSchemas({
    registry: new SchemaRegistry({ url: registryUrl }),
    memory: { all: () => Promise.resolve([...remembered]), remember: () => Promise.resolve() },
  });
  await schemas.start();
  return schemas;
}

describe('a schema id that the app does not know', () => {
  let proxy: FaultProxy;

  beforeEach(async () => {
    proxy = await FaultProxy.to(at.registryUrl);
  });
  afterEach(() => proxy.close());

  it('D2: with the registry down, holds its partitions up and is no dead letter; everything is applied when the registry is back', async () => {
    scene = await ModelScene.open(at, 'unknown_and_down');
    await scene.state(40);
    proxy.refuse();
    const model = await scene.model('d2', { schemas: await schemasOf(proxy.through(at.registryUrl)) });
    await model.reaches('REGISTRY');
    await until('it to be asked again', () => model.status.trouble?.code === 'registry.unavailable' && model.status.lag === 40);
    await scene.state(8); // more of the same waits too
    await until('more to wait', () => model.status.lag === 48);
    expect({ letters: await model.letters(), rows: await model.rows(), moved: (await model.positions()).filter((next) => next > 0) }).toEqual({ letters: [], rows: [], moved: [] });
    await proxy.heal();
    await model.settled();
    expect(await model.letters()).toEqual([]);
  });

  it('D3: and the registry neither, makes a dead letter and blocks its key; the registry is asked once for all of them, and other keys go on', async () => {
    scene = await ModelScene.open(at, 'unknown_to_all');
    let asked = 0;
    const counting = (request: Buffer) => {
      if (request.includes(`/schemas/ids/${NOBODYS_ID}`)) asked++;
      return false; // nothing is swallowed
    };
    await Promise.race([proxy.swallowNextResponse(counting), Promise.resolve()]);
    const model = await scene.model('d3', { schemas: await schemasOf(proxy.through(at.registryUrl)) });
    await scene.state(16);
    const sound = scene.stated.length;
    for (const key of ['k1', 'k4']) await scene.send([scene.next(key, NOBODYS_ID), scene.next(key)]);
    const blocked = scene.stated.splice(sound);
    expect(blocked).toHaveLength(4);
    await model.reaches('BLOCKED-KEYS');
    await scene.send(['k0', 'k2'].map((key) => scene.next(key)));
    const right = scene.stated.length;
    await until('other keys to go on', async () => (await model.rows()).reduce((sum, { facts }) => sum + facts, 0) === right);
    expect(await model.letters()).toEqual(['k1', 'k4'].flatMap((key) => [{ key, code: 'registry.schema-unknown' }, { key, code: null }]));
    expect({ asked, blockedKeys: model.status.blockedKeys }).toEqual({ asked: 1, blockedKeys: 2 });
  });
});

describe('a registry that was restored to something else', () => {
  const remembering = (schema: object) => schemasOf(at.registryUrl, [{ id: scene.schemaId, subject: scene.definition.factName, schema }]);

  it('D15: gives a known id to another schema: every partition halts, nothing is applied and nothing is parked', async () => {
    scene = await ModelScene.open(at, 'restored');
    await scene.state(16);
    const { fields, ...rest } = scene.definition.schema as { fields: object[] };
    const model = await scene.model('d15', { schemas: await remembering({ ...rest, fields: [...fields, { name: 'another', type: ['null', 'string'], default: null }] }) });
    await model.reaches('HALTED');
    expect(model.status.trouble).toMatchObject({ code: 'registry.id-reused' });
    expect({ letters: await model.letters(), rows: await model.rows() }).toEqual({ letters: [], rows: [] });
  });

  it('D15: control: the same id with the same schema is applied', async () => {
    scene = await ModelScene.open(at, 'not_restored');
    await scene.state(16);
    const model = await scene.model('d15', { schemas: await remembering(scene.definition.schema) });
    await model.settled();
  });
});

it('D16: six apps that start at once with a schema nobody has registered get one id, and what each of them states is read', async () => {
  scene = await ModelScene.open(at, 'raced');
  const namespace = `${at.name}_raced`;
  const schema = JSON.parse(JSON.stringify(scene.definition.schema).replaceAll('"namespace":"hr"', `"namespace":"${namespace}"`)) as object;
  const raced = defineFact<{ employeeId: string }, 'employeeId'>({ ...scene.definition, keyField: 'employeeId', factName: `${namespace}.EmployeeMoved`, schema });
  const starts = Array.from({ length: 6 }, async () => {
    const app = new RegisteredSchemas({ registry: new SchemaRegistry({ url: at.registryUrl }), memory: { all: () => Promise.resolve([]), remember: () => Promise.resolve() }, produces: [raced] });
    await app.start();
    return app;
  });
  const apps = await Promise.all(starts);
  const ids = apps.map((app) => app.idOf(raced));
  expect(new Set(ids).size).toBe(1);
  const encoder = new FactEncoder();
  const values = ids.map((id, nth) => withSequence(encoder.encode({ ...EmployeeMoved(`k${nth}`, { location: 'BER', salaryCents: nth }), type: raced }, id).value, 1));
  const selected = selectInSpec<{ salaryCents: number | null }>({
    factName: raced.factName,
    topic: scene.topic,
    schema: { type: 'record', name: 'EmployeeMoved', namespace, fields: [{ name: 'salaryCents', type: ['null', 'long'] }] },
    fingerprint: 'spec',
  });
  const decoder = new FactDecoder([selected], await schemasOf(at.registryUrl));
  await decoder.prepare(decoder.unprepared(values));
  expect(values.map((value, nth) => decoder.decode(`k${nth}`, value)?.data)).toEqual(ids.map((_id, nth) => ({ salaryCents: nth })));
});
