import { type Dice, FIELD_NAMES, Inventor, NAMESPACES, PRIMITIVES, SYMBOLS } from './invented-schemas.spec.support.js';
import { type EnumBody, type FixedBody, type NamedShape, type RecordBody, type SchemaShape, type Shape, fullNameOfShape } from './schema-shapes.spec.support.js';

/** A place in a schema that holds a type, and what is there. */
interface Slot {
  readonly shape: Shape;
  set(shape: Shape): void;
}

interface Target {
  readonly schema: SchemaShape;
  readonly dice: Dice;
  readonly inventor: Inventor;
}

const NULL: Shape = { kind: 'primitive', name: 'null' };
const PROMOTIONS: Readonly<Record<string, readonly string[]>> = {
  int: ['long', 'float', 'double'],
  long: ['float', 'double'],
  float: ['double'],
  string: ['bytes'],
  bytes: ['string'],
};

/** Each changes one thing; false when the schema holds nothing of the kind. The figure is how often it is chosen. */
const MUTATIONS: Readonly<Record<string, readonly [weight: number, change: (target: Target) => boolean]>> = {
  'add a field': [9, (target) => addField(target, true)],
  'add a field without default': [3, (target) => addField(target, false)],
  'add a field whose enum has the default': [2, (target) => addEnumField(target)],
  'remove a field': [10, ({ dice, schema }) => withRecord(dice, schema, ({ body }) => body.fields.length > 0 && body.fields.splice(dice.below(body.fields.length), 1).length > 0)],
  'rename a field, old name as alias': [7, (target) => renameField(target, true)],
  'rename a field': [3, (target) => renameField(target, false)],
  'reorder fields': [6, ({ dice, schema }) => withRecord(dice, schema, ({ body }) => !!(body.fields = dice.shuffled(body.fields)))],
  'toggle the default of a field': [4, ({ dice, schema }) => withField(dice, schema, (field) => (field.hasDefault = !field.hasDefault) || true)],
  'note on a field': [4, ({ dice, schema }) => withField(dice, schema, (field) => !!(field.extra = { doc: 'Another text.', order: 'ignore' }))],
  'alias that hits another field': [1, (target) => aliasOfNeighbour(target)],
  'promote': [10, (target) => changePrimitive(target, (name) => PROMOTIONS[name] ?? [])],
  'demote': [3, (target) => changePrimitive(target, (name) => Object.keys(PROMOTIONS).filter((wider) => PROMOTIONS[wider]!.includes(name)))],
  'another primitive': [2, (target) => changePrimitive(target, () => PRIMITIVES)],
  'another type': [2, ({ dice, schema, inventor }) => withSlot(dice, schema, () => true, (slot) => slot.set(inventor.shape(2)))],
  'wrap in nullable': [8, ({ dice, schema }) => withSlot(dice, schema, () => true, (slot) => slot.set({ kind: 'union', branches: dice.shuffled([NULL, slot.shape]) }))],
  'wrap in a union': [3, ({ dice, schema, inventor }) => withSlot(dice, schema, () => true, (slot) => slot.set({ kind: 'union', branches: dice.shuffled([inventor.shape(3), slot.shape]) }))],
  'unwrap a union': [2, ({ dice, schema }) => withSlot(dice, schema, isUnion, (slot) => isUnion(slot.shape) && slot.shape.branches.length > 0 && slot.set(dice.of(slot.shape.branches)))],
  'add a branch': [6, ({ dice, schema, inventor }) => withUnion(dice, schema, (branches) => [...branches, inventor.shape(3)])],
  'remove a branch': [3, ({ dice, schema }) => withUnion(dice, schema, (branches) => branches.toSpliced(dice.below(branches.length), 1))],
  'reorder branches': [5, ({ dice, schema }) => withUnion(dice, schema, (branches) => dice.shuffled(branches))],
  'add a symbol': [9, ({ dice, schema }) => withEnum(dice, schema, (body) => !!(body.symbols = [...new Set([...body.symbols, dice.of(SYMBOLS)])]))],
  'remove a symbol': [10, ({ dice, schema }) => withEnum(dice, schema, (body) => body.symbols.splice(dice.below(body.symbols.length), 1).length > 0)],
  'reorder symbols': [4, ({ dice, schema }) => withEnum(dice, schema, (body) => !!(body.symbols = dice.shuffled(body.symbols)))],
  'toggle the enum default': [7, ({ dice, schema }) => withEnum(dice, schema, (body) => (body.hasDefault = !body.hasDefault) || true)],
  'another size': [10, ({ dice, schema }) => withNamed(dice, schema, isFixed, ({ body }) => !!(body.size = 1 + dice.below(6)))],
  'another namespace': [6, ({ dice, schema }) => withNamed(dice, schema, isNamed, (named) => (named.namespace = dice.of(NAMESPACES)) !== undefined)],
  'rename a type': [3, (target) => renameType(target, () => [])],
  'rename a type, full name as alias': [4, (target) => renameType(target, (old) => [fullNameOfShape(old)])],
  'rename a type, short name as alias': [3, (target) => renameType(target, (old) => [old.name])],
  'alias into the null namespace': [1, (target) => renameType(target, (old) => [`.${old.name}`])],
  'drop the aliases of a type': [2, ({ dice, schema }) => withNamed(dice, schema, isNamed, (named) => named.aliases.splice(0).length > 0)],
  'move deeper': [2, (target) => moveDeeper(target)],
  'make recursive': [4, (target) => makeRecursive(target)],
};

const WEIGHTS = Object.fromEntries(Object.entries(MUTATIONS).map(([name, [weight]]) => [name, weight]));

/** Changes the schema once; a kind that finds nothing to change is thrown again. */
export function mutate(schema: SchemaShape, dice: Dice): void {
  const target = { schema, dice, inventor: new Inventor(dice, schema, dice.of(NAMESPACES)) };
  for (let left = 20; left > 0; left--) {
    const [, change] = MUTATIONS[dice.weighted(WEIGHTS)]!;
    if (change(target)) return;
  }
}

function slotsOf(schema: SchemaShape): Slot[] {
  const found: Slot[] = [];
  const seen = new Set<string>();
  const visit = (shape: Shape, set: (changed: Shape) => void): void => {
    found.push({ shape, set });
    if (shape.kind === 'array' || shape.kind === 'map') visit(shape.of, (changed) => (shape.of = changed));
    if (shape.kind === 'union') shape.branches.forEach((branch, at) => visit(branch, (changed) => (shape.branches[at] = changed)));
    if (shape.kind !== 'named' || seen.has(shape.id)) return;
    seen.add(shape.id);
    const { body } = schema.named.get(shape.id)!;
    if (isRecordBody(body)) body.fields.forEach((field) => visit(field.type, (changed) => (field.type = changed)));
  };
  visit(schema.root, (changed) => (schema.root = changed));
  return found;
}

/** The named types that the root reaches; what a change cut off is not printed. */
function namedIn(schema: SchemaShape): NamedShape[] {
  const ids = slotsOf(schema).flatMap(({ shape }) => (shape.kind === 'named' ? [shape.id] : []));
  return [...new Set(ids)].map((id) => schema.named.get(id)!);
}

type NamedWith<Body> = NamedShape & { readonly body: Body };
const isNamed = (_named: NamedShape): _named is NamedShape => true;
const isRecordBody = (body: NamedShape['body']): body is RecordBody => body.kind === 'record' || body.kind === 'error';
const isRecord = (named: NamedShape): named is NamedWith<RecordBody> => isRecordBody(named.body);
const isEnum = (named: NamedShape): named is NamedWith<EnumBody> => named.body.kind === 'enum';
const isFixed = (named: NamedShape): named is NamedWith<FixedBody> => named.body.kind === 'fixed';
const isUnion = (shape: Shape): shape is Shape & { kind: 'union' } => shape.kind === 'union';

function withNamed<T extends NamedShape>(dice: Dice, schema: SchemaShape, fits: (named: NamedShape) => named is T, change: (named: T) => boolean): boolean {
  const fitting = namedIn(schema).filter(fits);
  return fitting.length > 0 && change(dice.of(fitting));
}

function withRecord(dice: Dice, schema: SchemaShape, change: (record: NamedWith<RecordBody>) => boolean): boolean {
  return withNamed(dice, schema, isRecord, change);
}

function withEnum(dice: Dice, schema: SchemaShape, change: (body: EnumBody) => boolean): boolean {
  return withNamed(dice, schema, isEnum, ({ body }) => change(body));
}

function withField(dice: Dice, schema: SchemaShape, change: (field: RecordBody['fields'][number], record: RecordBody) => boolean): boolean {
  return withRecord(dice, schema, ({ body }) => body.fields.length > 0 && change(dice.of(body.fields), body));
}

function withSlot(dice: Dice, schema: SchemaShape, fits: (shape: Shape) => boolean, change: (slot: Slot) => unknown): boolean {
  const fitting = slotsOf(schema).filter(({ shape }) => fits(shape));
  return fitting.length > 0 && change(dice.of(fitting)) !== false;
}

function withUnion(dice: Dice, schema: SchemaShape, change: (branches: Shape[]) => Shape[]): boolean {
  return withSlot(dice, schema, isUnion, ({ shape }) => isUnion(shape) && (shape.branches = change(shape.branches)));
}

function changePrimitive({ dice, schema }: Target, to: (name: string) => readonly string[]): boolean {
  const fits = (shape: Shape) => shape.kind === 'primitive' && to(shape.name).length > 0;
  return withSlot(dice, schema, fits, (slot) => slot.shape.kind === 'primitive' && slot.set({ kind: 'primitive', name: dice.of(to(slot.shape.name)) }));
}

function freeName(dice: Dice, { fields }: RecordBody): string {
  const free = FIELD_NAMES.filter((name) => fields.every((field) => field.name !== name));
  return free.length > 0 ? dice.of(free) : `field${fields.length}`;
}

function addField({ dice, schema, inventor }: Target, hasDefault: boolean): boolean {
  return withRecord(dice, schema, ({ body }) => {
    body.fields.splice(dice.below(body.fields.length + 1), 0, { ...inventor.field(freeName(dice, body), 3), hasDefault });
    return true;
  });
}

function addEnumField({ dice, schema, inventor }: Target): boolean {
  return withRecord(dice, schema, ({ body }) => {
    const type = inventor.named('enum', 3);
    const added = type.kind === 'named' && schema.named.get(type.id)!.body;
    if (added && added.kind === 'enum') added.hasDefault = true;
    body.fields.push({ ...inventor.field(freeName(dice, body), 3), type, hasDefault: false });
    return true;
  });
}

function renameField({ dice, schema }: Target, withAlias: boolean): boolean {
  return withField(dice, schema, (field, record) => {
    if (withAlias) field.aliases = [...field.aliases, field.name];
    field.name = freeName(dice, record);
    return true;
  });
}

/** Java throws where a field of the reader is found twice in the writer. */
function aliasOfNeighbour({ dice, schema }: Target): boolean {
  return withField(dice, schema, (field, { fields }) => !!(field.aliases = [...field.aliases, dice.of(fields).name]));
}

function renameType({ dice, schema, inventor }: Target, aliases: (old: NamedShape) => string[]): boolean {
  return withNamed(dice, schema, isNamed, (named) => {
    const old = { ...named };
    named.name = inventor.unusedName(named.namespace);
    named.aliases = [...named.aliases, ...aliases(old)];
    return true;
  });
}

function moveDeeper({ dice, schema, inventor }: Target): boolean {
  return withSlot(dice, schema, () => true, (slot) => {
    const around = inventor.named('record', 4);
    const { body } = schema.named.get(around.kind === 'named' ? around.id : '')!;
    if (isRecordBody(body)) body.fields.unshift({ name: 'inner', type: slot.shape, hasDefault: false, aliases: [], extra: {} });
    slot.set(dice.chance(50) ? around : { kind: 'array', of: slot.shape });
  });
}

function makeRecursive({ dice, schema }: Target): boolean {
  const ids = slotsOf(schema).flatMap(({ shape }) => (shape.kind === 'named' && isRecord(schema.named.get(shape.id)!) ? [shape.id] : []));
  if (ids.length === 0) return false;
  const again: Shape = { kind: 'named', id: dice.of(ids) };
  return withRecord(dice, schema, ({ body }) => {
    const type: Shape = dice.chance(70) ? { kind: 'union', branches: [NULL, again] } : { kind: 'array', of: again };
    body.fields.push({ name: freeName(dice, body), type, hasDefault: dice.chance(60), aliases: [], extra: {} });
    return true;
  });
}
