import { grouped, pause } from 'factline/kernel';
import { topicUnknown } from '../failures.js';
import { HEARTBEAT_MS, LEAVE_WAIT_MS, MISSING_TOPIC_LOOK_MS, REBALANCE_TIMEOUT_MS, SESSION_TIMEOUT_MS } from '../limits.js';
import type { Position } from '../log.js';
import { ASSIGNER, type TopicPartition, assign, decodeAssignment, encodeInterest, wantedTopics } from './assignment.js';
import { type Broker, type JoinedGroup, joinGroup } from './client.js';
import { brokerErrorOf, Code, refusedByBroker, wrapped } from './errors.js';
import type { Session } from './session.js';

/** The end of an assignment that is nobody's failure. */
const REJOIN = new Set(['REBALANCE_IN_PROGRESS', 'ILLEGAL_GENERATION']);
const GROUP = 0;

/**
 * One member of a consumer group, over kafkajs's requests: join, share out (as leader), heartbeat, leave. Only membership: nothing is fetched here, and
 * committed offsets are never read. One life of it is one session; after an error the owner makes another, which keeps the member id.
 */
export class Membership {
  memberId = '';
  #joined: JoinedGroup | undefined;
  #coordinator: Broker | undefined;
  #missing: string[] = [];

  constructor(
    private readonly session: Session,
    private readonly group: string,
    private readonly topics: readonly string[],
    private readonly missing: (error: Error) => void,
  ) {}

  /** Joins and waits for the share of this member; while others rejoin this takes up to the rebalance timeout. */
  async join(): Promise<TopicPartition[]> {
    this.#joined = undefined;
    this.#coordinator ??= await this.#findCoordinator();
    try {
      const joined = await this.#enter(this.#coordinator);
      this.memberId = joined.memberId;
      const { memberAssignment } = await this.#coordinator.syncGroup({
        groupId: this.group,
        generationId: joined.generationId,
        memberId: joined.memberId,
        groupAssignment: joined.memberId === joined.leaderId ? await this.#shareOut(joined) : [],
      });
      this.#joined = joined;
      return decodeAssignment(memberAssignment).filter(({ topic }) => this.topics.includes(topic));
    } catch (error) {
      if (brokerErrorOf(error) === 'UNKNOWN_MEMBER_ID') this.memberId = '';
      throw error;
    }
  }

  /** Heartbeats until the assignment ends: returns when members must rejoin, throws when something failed. */
  async keep(abort: AbortSignal): Promise<void> {
    let lookAt = performance.now() + MISSING_TOPIC_LOOK_MS;
    while (!abort.aborted) {
      await pause(HEARTBEAT_MS, abort);
      if (abort.aborted) return;
      try {
        await this.#coordinator!.heartbeat({ groupId: this.group, groupGenerationId: this.#joined!.generationId, memberId: this.memberId });
      } catch (error) {
        const name = brokerErrorOf(error);
        if (name === 'UNKNOWN_MEMBER_ID') this.memberId = '';
        if (name !== undefined && (REJOIN.has(name) || name === 'UNKNOWN_MEMBER_ID')) return;
        throw error;
      }
      if (this.#missing.length > 0 && performance.now() > lookAt) {
        if (await this.#anyAppeared()) return;
        lookAt = performance.now() + MISSING_TOPIC_LOOK_MS;
      }
    }
  }

  async commit(positions: readonly Position[]): Promise<void> {
    if (!this.#joined || !this.#coordinator) return;
    const topics = [...grouped(positions, ({ topic }) => topic)].map(([topic, of]) => ({
      topic,
      partitions: of.map(({ partition, offset }) => ({ partition, offset: String(offset), metadata: null })),
    }));
    await this.#coordinator.offsetCommit({ groupId: this.group, groupGenerationId: this.#joined.generationId, memberId: this.memberId, topics });
  }

  /** Says good-bye over a connection of its own, because a join may occupy the other one for a minute. */
  async leave(fresh: Session): Promise<void> {
    if (this.memberId === '') return;
    const end = new AbortController();
    const late = pause(LEAVE_WAIT_MS, end.signal);
    const leaving = (async () => {
      const coordinator = await this.#findCoordinator(fresh);
      await coordinator.leaveGroup({ groupId: this.group, memberId: this.memberId });
    })();
    try {
      await Promise.race([leaving, late]);
    } finally {
      end.abort();
      leaving.catch(() => undefined); // late or refused: the session timeout removes the member
      fresh.close();
    }
  }

  /** The broker gives a member its id first; known before the long wait, it can be given back. */
  async #enter(coordinator: Broker): Promise<JoinedGroup> {
    const ask = () =>
      joinGroup(coordinator, {
        groupId: this.group,
        sessionTimeout: SESSION_TIMEOUT_MS,
        rebalanceTimeout: REBALANCE_TIMEOUT_MS,
        memberId: this.memberId,
        protocolType: 'consumer',
        groupProtocols: [{ name: ASSIGNER, metadata: encodeInterest(this.topics) }],
      });
    try {
      return await ask();
    } catch (error) {
      const { name, memberId } = error as { name?: string; memberId?: string };
      if (name !== 'KafkaJSMemberIdRequired' || memberId === undefined) throw error;
      this.memberId = memberId;
      return ask();
    }
  }

  async #findCoordinator(session: Session = this.session): Promise<Broker> {
    const { brokers } = await session.look([]);
    const any = await session.broker(brokers[0]!.id);
    const { coordinator } = await any.findGroupCoordinator({ groupId: this.group, coordinatorType: GROUP });
    return session.brokerAt(coordinator.host, coordinator.port);
  }

  async #shareOut(joined: JoinedGroup): Promise<{ memberId: string; memberAssignment: Buffer }[]> {
    const view = await this.session.look(wantedTopics(joined.members));
    const counts = new Map<string, number>();
    this.#missing = [];
    for (const { name, errorCode, partitions } of view.topics) {
      if (errorCode === Code.none) counts.set(name, partitions.length);
      else if (errorCode === Code.unknownTopicOrPartition) this.#missing.push(name);
      else throw refusedByBroker(errorCode, `Looking up the topic '${name}'`, name);
    }
    if (this.#missing.length > 0) this.missing(topicUnknown(this.#missing));
    return assign(joined.members, counts);
  }

  async #anyAppeared(): Promise<boolean> {
    const view = await this.session.look(this.#missing);
    return view.topics.some(({ errorCode }) => errorCode === Code.none);
  }
}

export function membershipFailure(error: unknown, group: string) {
  return wrapped(error, `The membership in the group '${group}'`);
}

export function isRejoin(error: unknown): boolean {
  const name = brokerErrorOf(error);
  return name !== undefined && (REJOIN.has(name) || name === 'UNKNOWN_MEMBER_ID');
}
