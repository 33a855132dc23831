/** Data about a fact that is the same for every fact type: `factline.Meta`, the first field of each record. */
export interface FactMeta {
  /** UUID version 7, given by the producer when the fact is stated. */
  id: string;
  /** 1, 2, 3 ... without holes within (topic, key). */
  sequence: number;
  /** Business time, microseconds since 1970. */
  occurredAt: number;
  /** The request or process that everything it caused shares. */
  correlationId: string;
  /** The fact or request that directly caused this one. */
  causationId: string;
  actor?: string | null;
}

/** What a producer may say of a fact; the rest is filled in. */
export interface FactContext {
  occurredAt?: Date;
  correlationId?: string;
  causationId?: string;
  actor?: string;
}

/** What is known of a fact type that an app produces. */
export interface FactDefinition {
  /** Full record name, also the registry subject: `hr.EmployeeCreated`. */
  readonly factName: string;
  readonly topic: TopicDeclaration;
  /** The field that repeats the key of the record. */
  readonly keyField: string;
  /** The writer schema, bundled: self-contained JSON. */
  readonly schema: object;
  /** What the registry enforces for the subject from its first version on. Default FULL_TRANSITIVE; from schemas/contracts.config.yaml. */
  readonly compatibility?: CompatibilityLevel;
}

/** Avro compatibility of a new version with the one before it, or (transitive) with all before it. */
export type CompatibilityLevel = 'NONE' | 'BACKWARD' | 'BACKWARD_TRANSITIVE' | 'FORWARD' | 'FORWARD_TRANSITIVE' | 'FULL' | 'FULL_TRANSITIVE';

/**
 * A fact type as its producer sees it: call it to make a fact; the key field is filled in from the key.
 * Generated from schemas/ by `factline contracts gen`.
 */
export interface FactType<Data extends object = object, KeyField extends string & keyof Data = string & keyof Data> extends FactDefinition {
  (key: string, data: Omit<Data, KeyField>, context?: FactContext): Fact<Data>;
  readonly keyField: KeyField;
}

/** A fact that is not stated yet: `FactOutbox.add(tx, fact)` states it. Nothing is checked before that. */
export interface Fact<Data extends object = object> {
  readonly type: FactDefinition;
  readonly key: string;
  readonly data: Data;
  readonly context: FactContext;
  /** A command is no fact: it may be refused. */
  readonly command?: never;
}

/**
 * A command type as its senders see it: call it to make a command; the key field is filled in from the key. Its topic is of the kind `commands`: its owner handles it, any app
 * may send it. Generated from schemas/ by `factline contracts gen`.
 */
export interface CommandType<Data extends object = object, KeyField extends string & keyof Data = string & keyof Data> extends FactDefinition {
  (key: string, data: Omit<Data, KeyField>, context?: FactContext): Command<Data>;
  readonly keyField: KeyField;
}

/** A command that is not sent yet: `Commands.send(tx, command)` sends it. The outbox does not take it, as `send` takes no fact. */
export interface Command<Data extends object = object> {
  readonly type: FactDefinition;
  readonly key: string;
  readonly data: Data;
  readonly context: FactContext;
  readonly command: true;
}

/** Says that an app's contracts.yaml declares this selection. Without it nothing is read. */
export interface ContractEntry {
  readonly app: string;
  /** SHA-256 of app, fact and reader schema, first 16 hex digits. The topic is not in it: specs and drills read the same facts from topics of their own. */
  readonly seal: string;
}

/** A fact type as one consumer sees it: exactly the fields it selected in its contracts.yaml. */
export interface SelectedFact<Data extends object = object> {
  readonly factName: string;
  readonly topic: string;
  /** The reader schema, bundled: the selected fields and nothing else. `meta` is not among them, it is decoded apart and only when asked for. */
  readonly schema: object;
  /** SHA-256 of the reader schema in canonical JSON, first 16 hex digits: part of a projection's fingerprint. */
  readonly fingerprint: string;
  readonly contract: ContractEntry;
  /** Carries the type of `data`; never present at run time. */
  readonly $data?: Data;
  readonly command?: never;
}

/** A command type as its owner handles it: the fields it selected in its contracts.yaml. `@OnCommand` takes it, `@OnFact` does not. */
export interface SelectedCommand<Data extends object = object> extends Omit<SelectedFact<Data>, 'command'> {
  readonly command: true;
  /** The app whose queue it is: no other one may handle it. */
  readonly owner: string;
}

/** A fact as a handler gets it. `meta` is decoded when it is first read. */
export interface ReceivedFact<Data extends object = object> {
  readonly name: string;
  readonly key: string;
  readonly meta: FactMeta;
  readonly data: Data;
}

/** schemas/<context>/<entity>/topic.yaml */
export interface TopicDeclaration {
  readonly name: string;
  readonly owner: string;
  readonly keyField: string;
  readonly partitions: number;
  readonly kind: 'facts' | 'state' | 'commands';
  readonly settings: Readonly<Record<string, string>>;
  /** What each record carries for consumers of other teams, beside `traceparent`. Absent: nothing. */
  readonly headers?: 'cloudevents';
}
