import avro from 'avsc';
import { FactDecoder, FactEncoder, defineFact, withSequence } from 'factline/contracts';
import { selectInSpec } from 'factline/testing';
import { EmployeeCreated } from '../../apps/hr/src/contracts.generated.js';
import { type Measure, measured, median, perSecond, rounded } from '../measurement.js';

/** Times the rate at which avsc decodes the whole value with the writer's own schema. */
const FLOOR_TIMES_WHOLE = 2;
const VALUES = 1_000;
const VALUE_OFFSET = 5; // behind the format byte and the schema id
const SCHEMA_ID = 7;

const TEXTS = ['name', 'email', 'street', 'city', 'jobTitle', 'department'] as const;
const SELECTED = ['name', 'city'] as const;
const [meta] = (EmployeeCreated.schema as { fields: readonly object[] }).fields;
const written = recordOf([meta!, { name: 'personId', type: 'string' }, ...TEXTS.map((name) => ({ name, type: 'string' })), { name: 'salaryCents', type: 'long' }]);
const read = recordOf(SELECTED.map((name) => ({ name, type: 'string' })));

function recordOf(fields: readonly object[]): object {
  return { type: 'record', name: 'PersonHired', namespace: 'bench', fields };
}

type Person = Record<(typeof TEXTS)[number] | 'personId', string> & { salaryCents: number };

/** Two of eight fields, texts of 10 to 40 characters, one in five not ASCII: through a selection with all its checks, against avsc without any. */
export const decode: Measure = async ({ quick, say }) => {
  const people = Array.from({ length: VALUES }, (_, i) => personOf(i));
  const values = people.map(valueOf);
  const decoder = new FactDecoder([selectInSpec({ factName: 'bench.PersonHired', topic: 'bench', schema: read, fingerprint: '' })], { byId: () => Promise.resolve(written) });
  await decoder.prepare([SCHEMA_ID]);
  const whole = avro.Type.forSchema(written as never, { wrapUnions: 'never' });
  const part = avro.Type.forSchema(read as never);
  const resolver = part.createResolver(whole);
  const ways = {
    selection: (value: Buffer) => decoder.decode('p', value)!.data as Person,
    whole: (value: Buffer) => (whole.decode(value, VALUE_OFFSET) as { value: Person }).value,
    unchecked: (value: Buffer) => (part.decode(value, VALUE_OFFSET, resolver) as { value: Person }).value,
  };
  const rates: Record<keyof typeof ways, number[]> = { selection: [], whole: [], unchecked: [] };
  const names = Object.keys(ways) as (keyof typeof ways)[];
  const [rounds, turns] = quick ? [12, 20] : [40, 50];
  for (let round = 0; round < rounds; round++) for (const name of names) rates[name].push(rateOf(ways[name], values, turns));
  const rate = (name: keyof typeof ways) => median(rates[name].slice(2)); // the first rounds compile
  const times = rate('selection') / rate('whole');
  say(`decode-selection: ${Math.round(rate('selection'))} facts/s, avsc ${Math.round(rate('whole'))} for the whole value`);
  return [
    measured({
      name: 'decode-selection',
      value: rate('selection'),
      unit: 'facts/s',
      ceiling: rate('unchecked'),
      ceilingName: 'avsc through the same two fields, without checks',
      floor: Math.round(FLOOR_TIMES_WHOLE * rate('whole')),
      faults: faultsOf(ways, people, values),
      detail: { avscWholeValuePerSecond: Math.round(rate('whole')), timesAvscWholeValue: rounded(times), bytesPerFact: Math.round(values.reduce((sum, { length }) => sum + length, 0) / VALUES), rounds },
    }),
  ];
};

function personOf(i: number): Person {
  const text = (field: string, at: number) => `${i % 5 === at % 5 ? 'Ø' : ''}${field} ${i} `.padEnd(10 + ((i * 7 + at * 11) % 31), 'lorem ipsum dolor sit amet ');
  return { personId: `p-${i}`, ...(Object.fromEntries(TEXTS.map((field, at) => [field, text(field, at)])) as Omit<Person, 'personId' | 'salaryCents'>), salaryCents: 4_000_000 + i };
}

const encoder = new FactEncoder();
const PersonHired = defineFact<Person, 'personId'>({
  factName: 'bench.PersonHired',
  topic: { name: 'bench', owner: 'bench', keyField: 'personId', partitions: 1, kind: 'facts', settings: {} },
  keyField: 'personId',
  schema: written,
});

function valueOf({ personId, ...rest }: Person, i: number): Buffer {
  return withSequence(encoder.encode(PersonHired(personId, rest), SCHEMA_ID).value, 1 + (i % 5));
}

let sink = 0;

function rateOf(way: (value: Buffer) => Person, values: readonly Buffer[], turns: number): number {
  const started = performance.now();
  for (let turn = 0; turn < turns; turn++) for (const value of values) sink += way(value).city.length; // a result that nobody uses may not be computed
  return perSecond(turns * values.length, performance.now() - started);
}

/** Each way has to give what was stated: the selections these two fields and nothing else, the whole value all eight. */
function faultsOf(ways: Readonly<Record<'selection' | 'whole' | 'unchecked', (value: Buffer) => Person>>, people: readonly Person[], values: readonly Buffer[]): string[] {
  return people.flatMap((person, i) => {
    const { name, city } = person;
    const { meta: _meta, ...all } = ways.whole(values[i]!) as Person & { meta: unknown };
    const same = [ways.selection(values[i]!), ways.unchecked(values[i]!)].every((data) => JSON.stringify(data) === JSON.stringify({ name, city })) && JSON.stringify(all) === JSON.stringify(person);
    return same && sink > 0 ? [] : [`${person.personId} was not decoded as it was stated`];
  });
}
