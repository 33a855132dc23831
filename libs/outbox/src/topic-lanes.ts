import type { CloudEvents } from 'factline/contracts';
import { FactlineError } from 'factline/kernel';
import { type FactLog, partitionOf } from 'factline/log';
import type { FactHeaders } from './fact-headers.js';
import type { OutboxRow } from './page.js';

/** One topic-partition: sends run one after another in it. */
export interface Lane {
  topic: string;
  partition: number;
  /** Makes the headers of its facts, if the topic asks for some. */
  events: CloudEvents | undefined;
  /** Settled when everything given to this lane so far is acknowledged or held; rejected for good after a stop. */
  tail: Promise<unknown>;
  /** Behind the last record known to be in the log. */
  nextOffset: number;
  /** Its facts are set aside, for it took none while others did. */
  held: boolean;
  /** Facts set aside in this tenure, and how many of them are in the table. */
  setAside: number;
  stored: number;
}

/** Of a topic that the log has not described. */
export const NO_PARTITION = -1;

/** Where facts go: the lanes of each topic, as many as the log says it has partitions; and while the log knows nothing of it, as many as its declaration says. */
export class TopicLanes {
  readonly #open = new Map<string, Lane[]>();
  /** Stand for topics that are not open, or that were opened by their declaration alone. */
  readonly #unknown = new Map<string, Lane>();
  readonly #looks = new Map<string, Promise<void>>();
  readonly #expected = new Set<string>();

  /** @param declared what the app's contracts say, by topic: another count in the log would send keys elsewhere than before. */
  constructor(
    private readonly log: FactLog,
    private readonly declared: ReadonlyMap<string, number>,
    private readonly headers: FactHeaders,
  ) {}

  isOpen(topic: string): boolean {
    return this.#open.has(topic);
  }

  of(topic: string): readonly Lane[] | undefined {
    return this.#open.get(topic);
  }

  laneOf({ topic, key }: OutboxRow): Lane {
    const lanes = this.#open.get(topic)!;
    return lanes[partitionOf(key, lanes.length)]!;
  }

  /** Where what happens before a topic is open is told. */
  unknown(topic: string): Lane {
    let lane = this.#unknown.get(topic);
    if (!lane) this.#unknown.set(topic, (lane = this.#lane(topic, NO_PARTITION, 0, false)));
    return lane;
  }

  /** An earlier owner set facts of it aside: it is held from the moment the topic is open. */
  expectHeld(topic: string, partition: number): void {
    this.#expected.add(`${topic}/${partition}`);
  }

  /** Learns the partitions of one topic and where they end, in one attempt; once for all who ask meanwhile. @throws FactlineError `log.topic-unknown`, `relay.partitions-changed`. */
  open(topic: string): Promise<void> {
    let look = this.#looks.get(topic);
    if (!look) this.#looks.set(topic, (look = this.#look(topic).finally(() => this.#looks.delete(topic))));
    return look;
  }

  /** Whether the log has answered for it. What is open without that takes no facts, they are set aside. */
  isKnown(topic: string): boolean {
    return this.#open.has(topic) && !this.#unknown.has(topic);
  }

  /** Opens a topic that the log cannot describe, with all lanes held. @returns its lanes; undefined when nothing declares how many there are, or the log has answered by now. */
  openByDeclaration(topic: string): readonly Lane[] | undefined {
    const partitions = this.declared.get(topic);
    if (partitions === undefined || this.#open.has(topic)) return undefined;
    const lanes = Array.from({ length: partitions }, (_, partition) => this.#lane(topic, partition, 0, true));
    this.#open.set(topic, lanes);
    return lanes;
  }

  /** Whether the log answers for any other topic than this. */
  async describesOthers(topic: string): Promise<boolean> {
    const others = [...new Set([...this.#open.keys(), ...this.declared.keys()])].filter((each) => each !== topic);
    return Promise.any(others.map((each) => this.log.describe([each]))).then(() => true, () => false);
  }

  async #look(topic: string): Promise<void> {
    const { partitions } = (await this.log.describe([topic]))[0]!;
    const declared = this.declared.get(topic);
    if (declared !== undefined && declared !== partitions.length) throw partitionsChanged(topic, declared, partitions.length);
    const lanes = this.#open.get(topic);
    if (!lanes) this.#open.set(topic, partitions.map(({ end }, partition) => this.#lane(topic, partition, end, this.#expected.has(`${topic}/${partition}`))));
    else if (!this.isKnown(topic)) for (const lane of lanes) lane.nextOffset = partitions[lane.partition]!.end;
    this.#unknown.delete(topic);
  }

  #lane(topic: string, partition: number, nextOffset: number, held: boolean): Lane {
    return { topic, partition, events: this.headers.of(topic), tail: Promise.resolve(), nextOffset, held, setAside: 0, stored: 0 };
  }
}

function partitionsChanged(topic: string, declared: number, found: number): FactlineError {
  return new FactlineError({
    code: 'relay.partitions-changed',
    kind: 'configuration',
    message: `The topic '${topic}' has ${found} partitions, its declaration says ${declared}: keys would change their partition and lose their order.`,
    advice: 'Never add partitions to a keyed topic: make a new topic generation. If the declaration is wrong, correct topic.yaml.',
  });
}
