/** What a name must be, and what is made of it. Each rule answers what is wrong, or nothing: all that is wrong is told at once. */
export type Faults = readonly string[];

/** As FactlineModule takes it; also a folder, and the beginning of consumer groups. */
const APP = /^[a-z][a-z0-9]*(-[a-z0-9]+)*$/;
const APP_CHARACTERS = 40;
const FACT = /^([a-z][a-zA-Z0-9_]*(?:\.[a-z][a-zA-Z0-9_]*)*)\.([A-Z][A-Za-z0-9]*)$/;
const FIELD = /^[a-z][a-zA-Z0-9]*$/;
const ENTITY = /^[a-z][a-z0-9]*([_-][a-z0-9]+)*$/;
/** A Postgres schema and table; generations of it get longer names. */
const PROJECTION = /^[a-z][a-z0-9]*(_[a-z0-9]+)*$/;
const PROJECTION_CHARACTERS = 40;
/** Names that Postgres or this library needs for itself. */
const RESERVED_SCHEMAS = new Set(['public', 'factline', 'information_schema']);
/** Words that Postgres takes for its own unless they are quoted; of those that a name may be. */
const SQL_WORDS = new Set('all analyse analyze and any array as asc authorization between binary both case cast check collate collation column concurrently constraint create cross current_date current_role current_time current_user default desc distinct do else end except false fetch for foreign freeze from full grant group having in initially inner intersect into is isnull join lateral leading left like limit localtime natural not notnull null offset on only or order outer overlaps placing primary references returning right select session_user similar some symmetric table tablesample then to trailing true union unique user using variadic verbose when where window with'.split(' '));
/** Words that no variable can be called. */
const RESERVED_WORDS = new Set('await break case catch class const continue debugger default delete do else enum export extends false finally for function if implements import in instanceof interface let new null package private protected public return static super switch this throw true try typeof var void while with yield'.split(' '));

export function appFaults(name: string): Faults {
  if (!APP.test(name) || name.length > APP_CHARACTERS) return [`'${name}' is no name of an app: lower-case letters, digits and single hyphens, at most ${APP_CHARACTERS}, as in gift-cards`];
  return [];
}

export function factFaults(name: string): Faults {
  return FACT.test(name) ? [] : [`'${name}' is no name of a fact: a context, a dot, and what happened in the past tense, as in hr.EmployeePromoted`];
}

/** @throws nothing: asked after `factFaults`. */
export function partsOfFact(name: string): { context: string; simple: string } {
  const at = name.lastIndexOf('.');
  return { context: name.slice(0, at), simple: name.slice(at + 1) };
}

export function fieldFaults(name: string): Faults {
  if (name === 'meta') return ["a field cannot be called meta: that is the fact's identity, and it is there already"];
  return FIELD.test(name) ? [] : [`'${name}' is no name of a field: lowerCamelCase, as in orderId`];
}

export function entityFaults(name: string): Faults {
  return ENTITY.test(name) ? [] : [`'${name}' is no name of an entity: lower-case letters and digits, words joined by - or _, as in gift-card`];
}

export function projectionFaults(name: string): Faults {
  if (!PROJECTION.test(name) || name.length > PROJECTION_CHARACTERS) return [`'${name}' is no name of a projection: lower-case letters, digits and single underscores, at most ${PROJECTION_CHARACTERS}, as in paid_orders`];
  if (RESERVED_SCHEMAS.has(name) || SQL_WORDS.has(name) || name.startsWith('pg_') || RESERVED_WORDS.has(name)) return [`a projection cannot be called ${name}: its Postgres schema and its variable have that name`];
  return [];
}

export function portFaults(text: string): Faults {
  return /^\d{1,5}$/.test(text) && Number(text) >= 1 && Number(text) <= 65_535 ? [] : [`'${text}' is no port: a whole number from 1 to 65535`];
}

/** The words of any of these names, in lower case. */
function wordsOf(name: string): string[] {
  return (name.match(/[A-Z]+(?![a-z])|[A-Z]?[a-z0-9]+|\d+/g) ?? []).map((word) => word.toLowerCase());
}

const capitalised = (word: string) => word.charAt(0).toUpperCase() + word.slice(1);

/** GiftCards */
export const pascal = (name: string) => wordsOf(name).map(capitalised).join('');
/** giftCards */
export const camel = (name: string) => wordsOf(name).map((word, at) => (at === 0 ? word : capitalised(word))).join('');
/** gift-cards */
export const kebab = (name: string) => wordsOf(name).join('-');
/** gift_cards */
export const snake = (name: string) => wordsOf(name).join('_');
/** A column in a query. */
export const sqlName = (name: string) => (SQL_WORDS.has(name) ? `"${name}"` : name);
/** GIFT_CARDS */
export const upper = (name: string) => snake(name).toUpperCase();
/** Gift cards */
export const sentence = (name: string) => capitalised(wordsOf(name).join(' '));

/** What a key field is the id of: the order of orderId. Undefined when that cannot be told. */
export function entityOf(keyField: string): string | undefined {
  const found = /^([a-z][a-zA-Z0-9]*)(?:Id|Number|Code)$/.exec(keyField)?.[1];
  return found === undefined ? undefined : kebab(found);
}
