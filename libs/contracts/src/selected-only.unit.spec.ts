import { inspect } from 'node:util';
import { serialize } from 'node:v8';
import avro from 'avsc';
import { messageOf } from 'factline/kernel';
import { selectInSpec } from 'factline/testing';
import type { AvroNode } from './avro-json.js';
import { META_SCHEMA } from './meta.js';
import { readerSchema, selectFields } from './selection.js';
import { FactDecoder, FactEncoder, type ReceivedFact, type SelectedFact, defineFact } from './index.js';

const MARKER = 'SECRET-4711';
const ADDRESS = { type: 'record', name: 'Address', namespace: 'x', fields: [{ name: 'city', type: 'string' }, { name: 'street', type: 'string' }] };
const schemaNamed = (name: string) =>
  ({
    type: 'record',
    name,
    namespace: 'x',
    fields: [
      { name: 'meta', type: META_SCHEMA },
      { name: 'personId', type: 'string' },
      { name: 'email', type: 'string' },
      { name: 'name', type: 'string' },
      { name: 'address', type: ADDRESS },
      { name: 'nicknames', type: { type: 'array', items: 'string' } },
      { name: 'codes', type: { type: 'map', values: 'string' } },
      { name: 'phone', type: ['null', 'string'], default: null },
      { name: 'photo', type: 'bytes' },
      { name: 'scores', type: { type: 'array', items: 'long' } },
    ],
  }) as unknown as AvroNode;
const schema = schemaNamed('PersonHired');
const topic = { name: 'x.person', owner: 'x', keyField: 'personId', partitions: 1, kind: 'facts', settings: {} } as const;
const person = {
  email: `${MARKER}@example.org`,
  name: 'Ada',
  address: { city: 'Berlin', street: MARKER },
  nicknames: [MARKER, MARKER],
  codes: { [MARKER]: MARKER },
  phone: MARKER,
  photo: Buffer.from(MARKER),
  scores: [1, 2],
};
const PersonHired = defineFact<{ personId: string } & typeof person, 'personId'>({ factName: 'x.PersonHired', topic, keyField: 'personId', schema });
const encoder = new FactEncoder();
const value = encoder.encode(PersonHired('p-1', person), 7).value;

function selecting(...select: string[]): SelectedFact {
  return selectInSpec({ factName: 'x.PersonHired', topic: topic.name, schema: readerSchema(selectFields(schema, select, { file: '', path: '' })), fingerprint: select.join() });
}

async function decoderOf(selected: SelectedFact, ids: readonly number[] = [7]): Promise<FactDecoder> {
  const decoder = new FactDecoder([selected], { byId: () => Promise.resolve(structuredClone(schema)) });
  await decoder.prepare(ids);
  return decoder;
}

/** All that somebody can make of a fact without asking for its fields: JSON for a log, a copy, what a console shows, what is sent to a thread. */
function waysOut(fact: ReceivedFact): string[] {
  const shown = inspect(fact, { depth: 9, showHidden: true, getters: true });
  return [JSON.stringify(fact), JSON.stringify({ ...fact }), JSON.stringify(Object.getOwnPropertyNames(fact)), shown, serialize({ ...fact }).toString('latin1'), serialize(structuredClone(fact)).toString('latin1')];
}

/** As text, or as bytes in the forms in which JSON and consoles show them. */
function holdsMarker(text: string): boolean {
  const bytes = [...Buffer.from(MARKER)];
  return [MARKER, bytes.join(','), bytes.map((byte) => byte.toString(16)).join(' '), Buffer.from(MARKER).toString('base64')].some((form) => text.includes(form));
}

/** The texts that are made of bytes meanwhile: avsc makes each of its own with this method of Node's. */
function textsMade(work: () => unknown): string[] {
  const buffers = Buffer.prototype as unknown as { utf8Slice(from: number, to: number): string };
  const original = buffers.utf8Slice;
  const texts: string[] = [];
  buffers.utf8Slice = function (from, to) {
    const text = original.call(this, from, to);
    texts.push(text);
    return text;
  };
  try {
    work();
  } finally {
    buffers.utf8Slice = original;
  }
  return texts;
}

/** Names of the types for which resolvers are asked for; one that fails answers nothing and is counted as well. */
function resolversBuilt(): { named(name: string): number; restore(): void } {
  const names: unknown[] = [];
  const original = avro.Type.prototype.createResolver;
  avro.Type.prototype.createResolver = function (this: avro.Type, ...args) {
    names.push(this.name);
    return original.apply(this, args);
  };
  return { named: (name) => names.filter((each) => each === name).length, restore: () => (avro.Type.prototype.createResolver = original) };
}

describe('a field that is not selected', () => {
  it('is in nothing that can be made of a fact', async () => {
    const fact = (await decoderOf(selecting('name', 'address.city'))).decode('p-1', value)!;
    expect(fact.meta.sequence).toBe(0); // read from the bytes, which are there and out of reach
    expect(fact).toMatchObject({ name: 'x.PersonHired', key: 'p-1', data: { name: 'Ada', address: { city: 'Berlin' } } });
    for (const way of waysOut(fact)) expect(holdsMarker(way)).toBe(false);
  });

  it('control: selected, it is in all that holds the data; and the bytes, shown in any form, would be seen', async () => {
    const fact = (await decoderOf(selecting('name', 'email'))).decode('p-1', value)!;
    expect(waysOut(fact).filter(holdsMarker)).toHaveLength(5); // all but the names of its properties
    expect([JSON.stringify({ value }), inspect(person.photo), value.toString('latin1')].map(holdsMarker)).toEqual([true, true, true]);
  });

  it('is skipped: no text, bytes or entry of it is made on the heap', async () => {
    const madeBy = async (...select: string[]) => {
      const decoder = await decoderOf(selecting(...select));
      return textsMade(() => decoder.decode('p-1', value));
    };
    expect(await madeBy('name', 'scores')).toEqual(['Ada']);
    expect(await madeBy('address.city')).toEqual(['Berlin']);
    expect(await madeBy('name', 'email')).toEqual([person.email, 'Ada']); // control: each selected text is made once
  });

  it.each([
    ['truncated', value.subarray(0, value.length - 3)],
    ['trailing', Buffer.concat([value, Buffer.of(1, 2, 3)])],
    ['broken off in the middle', value.subarray(0, value.indexOf('Berlin'))],
    ['of a wrong length', Buffer.concat([value.subarray(0, value.indexOf('Berlin') - 1), Buffer.of(0xff, 0xff, 0xff, 0xff, 0x7f), value.subarray(value.indexOf('Berlin'))])],
  ])('is in no part of the error for a value that is %s', async (_what, bytes) => {
    const decoder = await decoderOf(selecting('name', 'address.city'));
    let thrown: Error | undefined;
    try {
      decoder.decode('p-1', bytes);
    } catch (error) {
      thrown = error as Error;
    }
    expect(thrown).toMatchObject({ code: 'fact.undecodable' });
    expect(holdsMarker(inspect(thrown, { depth: 9, showHidden: true }) + JSON.stringify(thrown) + messageOf(thrown))).toBe(false);
  });
});

describe('a pair of selection and writer schema', () => {
  it('is compiled once, for all decoders, topics, partitions and schema ids', async () => {
    const own = schemaNamed('PersonCounted');
    const Counted = defineFact<{ personId: string } & typeof person, 'personId'>({ factName: 'x.PersonCounted', topic, keyField: 'personId', schema: own });
    const reader = (...select: string[]) => readerSchema(selectFields(own, select, { file: '', path: '' }));
    const select = (topicName: string, schemaOf: object) => selectInSpec({ factName: 'x.PersonCounted', topic: topicName, schema: schemaOf, fingerprint: '' });
    const newer = { ...own, fields: [...own.fields!, { name: 'team', type: ['null', 'string'], default: null }] };
    const schemas = new Map<number, object>([[1, own], [2, structuredClone(own)], [3, newer], [4, structuredClone(newer)]]);
    const built = resolversBuilt();
    const builds = () => built.named('x.PersonCounted');
    const read = async (selected: SelectedFact, ...ids: number[]) => {
      const decoder = new FactDecoder([selected], { byId: (id) => Promise.resolve(schemas.get(id)!) });
      await Promise.all(ids.map((id) => decoder.prepare([id, id])));
      for (const id of ids.filter((each) => each < 3)) expect(decoder.decode('p-1', encoder.encode(Counted('p-1', person), id).value)!.data).toMatchObject({ name: 'Ada' });
    };
    for (const name of ['one', 'two', 'three']) await read(select(name, reader('name')), 1, 2);
    expect(builds()).toBe(1);
    await read(select('one', reader('name')), 1, 2, 3, 4);
    expect(builds()).toBe(2); // control: another writer schema is another pair
    await read(select('one', reader('name', 'email')), 1, 2);
    expect(builds()).toBe(3); // and so is another selection
    built.restore();
  });

  it('that does not fit is tried once, and refused for each id', async () => {
    const selected = selectInSpec({ factName: 'x.PersonHired', topic: 'x', schema: { ...schema, fields: [{ name: 'gone', type: 'string' }] }, fingerprint: '' });
    const built = resolversBuilt();
    const decoder = await decoderOf(selected, [7, 8]);
    for (const id of [7, 8]) expect(() => decoder.decode('p-1', encoder.encode(PersonHired('p-1', person), id).value)).toThrow(expect.objectContaining({ code: 'fact.unreadable', details: { factName: 'x.PersonHired', schemaId: id } }));
    expect(built.named('x.PersonHired')).toBe(1);
    built.restore();
  });
});
