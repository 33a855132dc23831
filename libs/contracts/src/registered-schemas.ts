import avro from 'avsc';
import { type Clock, type Duration, FactlineError, type Logger, messageOf, milliseconds, silentLogger, systemClock } from 'factline/kernel';
import { fingerprintOf } from './canonical.js';
import { within } from './deadline.js';
import type { WriterSchemas } from './decoder.js';
import type { FactDefinition } from './facts.js';
import { REGISTRY_NEGATIVE_MS, REGISTRY_VERIFY_TIMEOUT_MS } from './limits.js';
import type { SchemaRegistry } from './registry.js';

/** A registered schema as an app remembers it. */
export interface RememberedSchema {
  id: number;
  subject: string;
  schema: object;
}

/** Where an app remembers the ids it has seen, so that it starts and works while the registry is down: a table in its own database. */
export interface SchemaMemory {
  all(): Promise<RememberedSchema[]>;
  /** Insert or replace by id. */
  remember(entry: RememberedSchema): Promise<void>;
}

export interface RegisteredSchemasOptions {
  registry: Pick<SchemaRegistry, 'register' | 'byId'>;
  memory: SchemaMemory;
  /** The fact types this app produces. Default none: a pure consumer. */
  produces?: readonly FactDefinition[];
  /** Longest wait for the registry to confirm what is remembered anyway. Default 2 s. */
  verifyTimeout?: Duration;
  clock?: Clock;
  log?: Logger;
}

/**
 * The schema ids an app works with: its own, registered or remembered, and those it reads.
 * Promised: with a filled memory it starts and answers without the registry. Each remembered id is compared once a process with what the registry says now, so that a restored
 * registry that gives an old id to another schema stops the app instead of giving it wrong data.
 */
export class RegisteredSchemas implements WriterSchemas {
  readonly #known = new Map<number, RememberedSchema>();
  readonly #confirmed = new Set<number>();
  readonly #own = new Map<string, number>();
  /** By the schema object itself: a fingerprint costs 30 to 80 µs, and this is asked once a fact. */
  readonly #ids = new WeakMap<object, number>();
  readonly #options: Required<RegisteredSchemasOptions>;
  #started: Promise<void> | undefined;
  #silentUntil = -Infinity;

  constructor(options: RegisteredSchemasOptions) {
    this.#options = { produces: [], verifyTimeout: REGISTRY_VERIFY_TIMEOUT_MS, clock: systemClock, log: silentLogger, ...options };
  }

  /**
   * Loads the memory and registers the app's own schemas; those the registry does not answer for are taken from the memory.
   * @throws FactlineError `registry.unavailable` when an own schema is neither registered nor remembered, `registry.incompatible`, `registry.id-reused`.
   */
  start(): Promise<void> {
    this.#started ??= this.#start().catch((error: unknown) => {
      this.#started = undefined; // a later start may find the registry up
      throw error;
    });
    return this.#started;
  }

  /** The id to write a fact type with. @throws FactlineError `registry.not-started` (internal) before `start`, or for a type that is not in `produces`. */
  idOf(type: FactDefinition): number {
    const known = this.#ids.get(type.schema);
    if (known !== undefined) return known;
    const id = this.#own.get(fingerprintOf(type.schema));
    if (id !== undefined) {
      this.#ids.set(type.schema, id);
      return id;
    }
    throw new FactlineError({
      code: 'registry.not-started',
      kind: 'internal',
      message: `${type.factName} has no schema id in this process.`,
      advice: 'List the fact type in `produces`, and start before facts are stated.',
      details: { factName: type.factName },
    });
  }

  /** @throws FactlineError `registry.unavailable`, `registry.schema-unknown`, `registry.id-reused` (integrity). */
  async byId(id: number): Promise<object> {
    const known = this.#known.get(id) ?? (await this.#rememberedSince(id));
    if (known) {
      await this.#confirm(known);
      return known.schema;
    }
    const schema = await this.#options.registry.byId(id);
    await this.#remember({ id, subject: nameOf(schema), schema });
    return schema;
  }

  /** By another process of this app, that stated it: with the tags and deprecations in it, which are not what a registry is asked for, and would be lost by remembering its answer. */
  async #rememberedSince(id: number): Promise<RememberedSchema | undefined> {
    const entry = (await this.#options.memory.all()).find((each) => each.id === id);
    if (entry) this.#known.set(id, entry);
    return entry;
  }

  async #start(): Promise<void> {
    for (const entry of await this.#options.memory.all()) this.#known.set(entry.id, entry);
    for (const type of this.#options.produces) this.#own.set(fingerprintOf(type.schema), await this.#ownId(type));
  }

  async #ownId(type: FactDefinition): Promise<number> {
    const { registry, log } = this.#options;
    try {
      const id = await registry.register(type.factName, type.schema, type.compatibility);
      await this.#remember({ id, subject: type.factName, schema: type.schema });
      return id;
    } catch (error) {
      if (!(error instanceof FactlineError) || error.kind !== 'unavailable') throw error;
      const fingerprint = fingerprintOf(type.schema);
      const remembered = [...this.#known.values()].filter((entry) => entry.subject === type.factName);
      const latest = remembered.find((entry) => fingerprintOf(entry.schema) === fingerprint) ?? remembered.find((entry) => sameWire(entry.schema, type.schema));
      if (!latest) throw error;
      log.warn({ factName: type.factName, schemaId: latest.id, error: messageOf(error) }, 'schema registry down: the remembered schema id is used');
      return latest.id;
    }
  }

  async #remember(entry: RememberedSchema): Promise<void> {
    const before = this.#known.get(entry.id);
    if (before && !sameWire(before.schema, entry.schema)) throw idReused(before, entry.schema);
    this.#confirmed.add(entry.id);
    if (before && fingerprintOf(before.schema) === fingerprintOf(entry.schema)) return;
    this.#known.set(entry.id, entry);
    await this.#options.memory.remember(entry);
  }

  async #confirm(known: RememberedSchema): Promise<void> {
    const { clock, log, registry, verifyTimeout } = this.#options;
    if (this.#confirmed.has(known.id) || clock.monotonic() < this.#silentUntil) return;
    let schema: object;
    try {
      schema = await within(registry.byId(known.id), milliseconds(verifyTimeout));
    } catch (error) {
      if (!(error instanceof FactlineError)) throw error;
      if (error.kind === 'unavailable') this.#silentUntil = clock.monotonic() + REGISTRY_NEGATIVE_MS;
      log.warn({ schemaId: known.id, error: error.message }, 'the remembered schema is used unconfirmed');
      return;
    }
    if (!sameWire(known.schema, schema)) throw idReused(known, schema);
    this.#confirmed.add(known.id);
  }
}

/** Registries reword schemas (order of keys, documentation), so what must agree is what decides how bytes are read: Avro's parsing canonical form. */
export function sameWire(a: object, b: object): boolean {
  return avro.Type.forSchema(a as never).equals(avro.Type.forSchema(b as never));
}

function nameOf(schema: object): string {
  return avro.Type.forSchema(schema as never).name ?? '';
}

function idReused(known: RememberedSchema, now: object): FactlineError {
  return new FactlineError({
    code: 'registry.id-reused',
    kind: 'integrity',
    message: `Schema id ${known.id} was ${known.subject} in another form; the registry now answers ${nameOf(now)}.`,
    advice: 'The registry was restored or replaced: bring its old content back before anything else is written.',
    details: { schemaId: known.id, subject: known.subject },
  });
}
