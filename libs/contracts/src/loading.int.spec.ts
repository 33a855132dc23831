import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { META_SCHEMA } from './meta.js';
import { checkGenerated, generate } from './generate.js';
import { loadSchemas } from './index.js';

let root: string;

beforeEach(async () => {
  root = await mkdtemp(join(tmpdir(), 'factline-contracts-'));
  await write('schemas/factline/Meta.avsc', META_SCHEMA);
  await write('schemas/x/thing/topic.yaml', topicYaml());
  await write('schemas/x/thing/Made.avsc', fact('Made'));
});

afterEach(() => rm(root, { recursive: true }));

async function write(file: string, content: unknown): Promise<void> {
  await mkdir(dirname(join(root, file)), { recursive: true });
  await writeFile(join(root, file), typeof content === 'string' ? content : JSON.stringify(content));
}

function topicYaml(name = 'x.thing'): string {
  return `name: ${name}\nowner: x\nkeyField: id\npartitions: 2\nkind: facts\n`;
}

function fact(name: string, ...fields: object[]): object {
  return { type: 'record', name, namespace: 'x', fields: [{ name: 'meta', type: 'factline.Meta' }, { name: 'id', type: 'string' }, ...fields] };
}

function record(name: string, ...fields: object[]): object {
  return { type: 'record', name, namespace: 'x', fields };
}

describe('schemas on disk', () => {
  it('are bundled: each named type once, at its first use, across files and namespaces', async () => {
    await write('schemas/x/shared/Part.avsc', record('Part', { name: 'next', type: ['null', 'Part'], default: null }));
    await write('schemas/x/thing/Made.avsc', fact('Made', { name: 'a', type: { type: 'array', items: 'Part' } }, { name: 'b', type: 'x.Part' }));
    const made = (await loadSchemas(join(root, 'schemas'))).facts.get('x.Made')!;
    expect(made.topic.name).toBe('x.thing');
    expect(made.schema.fields!.map((field) => field.type)).toMatchObject([{ name: 'Meta', namespace: 'factline' }, 'string', { items: { name: 'Part', fields: [{ type: ['null', 'x.Part'] }] } }, 'x.Part']);
  });

  it.each([
    ['bad JSON', 'x/thing/Made.avsc', '{', 'declaration.unreadable', undefined],
    ['no named type', 'x/thing/Made.avsc', ['string'], 'schema.invalid', '$'],
    ['an unknown type', 'x/thing/Made.avsc', fact('Made', { name: 'a', type: { type: 'map', values: 'x.Prat' } }), 'schema.unknown-type', '$.fields[2].type.values'],
    ['a field that every object has', 'x/thing/Made.avsc', fact('Made', { name: 'toString', type: 'string' }), 'schema.invalid', '$.fields[2]'],
    ['a field without a type', 'x/thing/Made.avsc', fact('Made', { name: 'a' }), 'schema.invalid', '$.fields[2]'],
    ['a type defined twice', 'x/thing/Twice.avsc', fact('Made'), 'schema.duplicate-type', '$'],
    ['a fact without meta', 'x/thing/Made.avsc', record('Made', { name: 'id', type: 'string' }), 'schema.meta-missing', '$.fields[0]'],
    ['a fact whose meta comes second', 'x/thing/Made.avsc', record('Made', { name: 'id', type: 'string' }, { name: 'meta', type: 'factline.Meta' }), 'schema.meta-missing', '$.fields[0]'],
    ['a fact without key field', 'x/thing/Made.avsc', record('Made', { name: 'meta', type: 'factline.Meta' }), 'schema.key-field', '$.fields'],
    ['a key field that is no string', 'x/thing/Made.avsc', record('Made', { name: 'meta', type: 'factline.Meta' }, { name: 'id', type: 'long' }), 'schema.key-field', '$.fields[1].type'],
    ['a fact without topic', 'x/lost/Lost.avsc', fact('Lost'), 'schema.topic-missing', undefined],
    ['a union Avro forbids', 'x/thing/Made.avsc', fact('Made', { name: 'a', type: ['int', 'long'] }), 'schema.invalid', '$'],
    ['bad YAML', 'x/thing/topic.yaml', 'a: [', 'declaration.unreadable', undefined],
    ['a topic without partitions', 'x/thing/topic.yaml', topicYaml().replace('partitions: 2', 'partitions: 0'), 'topic.invalid', '$.partitions'],
    ['a misspelt setting', 'x/thing/topic.yaml', topicYaml().replace('kind', 'knd'), 'topic.invalid', '$.knd'],
    ['one topic twice', 'x/zebra/topic.yaml', topicYaml(), 'topic.duplicate', '$.name'],
  ])('with %s are refused with file and place', async (_name, file, content, code, path) => {
    await write(`schemas/${file}`, content);
    await expect(loadSchemas(join(root, 'schemas'))).rejects.toMatchObject({ code, kind: 'configuration', details: { file, ...(path !== undefined && { path }) } });
  });

  it('take their compatibility from contracts.config.yaml, by subject', async () => {
    await write('schemas/contracts.config.yaml', 'subjects:\n  x.Made: BACKWARD\n');
    expect((await loadSchemas(join(root, 'schemas'))).facts.get('x.Made')!.compatibility).toBe('BACKWARD');
    for (const [text, path] of [['compatibility: FULLY', '$.compatibility'], ['subjects: {x.Mode: FULL}', '$.subjects.x.Mode']] as const) {
      await write('schemas/contracts.config.yaml', text);
      await expect(loadSchemas(join(root, 'schemas'))).rejects.toMatchObject({ code: 'settings.invalid', details: { path } });
    }
  });

  it('that contain each other across files are refused with the circle', async () => {
    await write('schemas/x/A.avsc', record('A', { name: 'b', type: 'B' }));
    await write('schemas/x/B.avsc', record('B', { name: 'a', type: ['null', 'A'] }));
    await expect(loadSchemas(join(root, 'schemas'))).rejects.toMatchObject({ code: 'schema.cycle', details: { file: 'x/B.avsc', chain: 'x.A -> x.B -> x.A' } });
  });
});

describe('generated files', () => {
  it('are written once, and drift is found', async () => {
    await write('apps/x/contracts.yaml', 'app: x\nowner: t\nproduces: [x.Made]\n');
    const file = 'apps/x/src/contracts.generated.ts';
    await expect(checkGenerated(root)).rejects.toMatchObject({ code: 'contract.drift', details: { files: [file] } });
    expect(await generate(root)).toEqual([{ file, changed: true }]);
    expect(await generate(root)).toEqual([{ file, changed: false }]);
    await checkGenerated(root);
    await write(file, `${await readFile(join(root, file), 'utf8')}// by hand\n`);
    await expect(checkGenerated(root)).rejects.toMatchObject({ code: 'contract.drift' });
  });

  it('of nothing are refused: no contract is more likely a wrong folder', async () => {
    await expect(generate(root)).rejects.toMatchObject({ code: 'contract.none', advice: expect.stringContaining('factline contracts init') as string });
    await write('apps/x/contracts.yaml', '');
    await expect(generate(root)).rejects.toMatchObject({ code: 'declaration.unreadable', message: 'apps/x/contracts.yaml at $: it is empty.' });
  });

  it('do not take a shared type for a fact', async () => {
    await write('schemas/x/Made2.avsc', { type: 'record', name: 'Made2', namespace: 'x', fields: [] });
    await write('apps/x/contracts.yaml', 'app: x\nowner: t\nproduces: [x.Made2]\n');
    await expect(generate(root)).rejects.toMatchObject({ code: 'contract.unknown-fact', message: expect.stringContaining("'x.Made2' is a type of x/Made2.avsc, but no fact") as string });
  });

  it('of this repository are what the contracts say', async () => {
    await checkGenerated(new URL('../../..', import.meta.url).pathname);
  });
});
