import { groupProtocol, type JoinedGroup } from './client.js';

export interface TopicPartition {
  topic: string;
  partition: number;
}

/** Carried in the member metadata and in the choice of the group's protocol: all members must know it. */
export const ASSIGNER = 'factline-even';
const METADATA_VERSION = 0;

export function encodeInterest(topics: readonly string[]): Buffer {
  return groupProtocol.MemberMetadata.encode({ version: METADATA_VERSION, topics: [...topics], userData: Buffer.alloc(0) });
}

export function decodeAssignment(bytes: Buffer): TopicPartition[] {
  const assignment = groupProtocol.MemberAssignment.decode(bytes)?.assignment ?? {};
  return Object.entries(assignment).flatMap(([topic, partitions]) => partitions.map((partition) => ({ topic, partition })));
}

/** The topics that any member wants, as the leader of the group sees them. */
export function wantedTopics(members: JoinedGroup['members']): string[] {
  return [...new Set(members.flatMap(interestOf))].sort();
}

/**
 * Gives each partition to the interested member that has the fewest, members in the order of their ids: even to within one partition when all want the
 * same, and a member of an older deployment never gets a topic it does not subscribe to (kafkajs's round robin gives everything to everybody).
 */
export function assign(members: JoinedGroup['members'], partitionCounts: ReadonlyMap<string, number>): { memberId: string; memberAssignment: Buffer }[] {
  const sorted = members.toSorted((a, b) => (a.memberId < b.memberId ? -1 : 1));
  const shares = sorted.map((member) => ({ memberId: member.memberId, topics: new Set(interestOf(member)), count: 0, share: {} as Record<string, number[]> }));
  for (const [topic, partitions] of [...partitionCounts].toSorted(([a], [b]) => (a < b ? -1 : 1))) {
    const interested = shares.filter(({ topics }) => topics.has(topic));
    for (let partition = 0; partition < partitions && interested.length > 0; partition++) {
      const least = interested.reduce((least, each) => (each.count < least.count ? each : least));
      (least.share[topic] ??= []).push(partition);
      least.count += 1;
    }
  }
  return shares.map(({ memberId, share }) => ({
    memberId,
    memberAssignment: groupProtocol.MemberAssignment.encode({ version: METADATA_VERSION, assignment: share, userData: Buffer.alloc(0) }),
  }));
}

function interestOf(member: { memberMetadata: Buffer }): string[] {
  return groupProtocol.MemberMetadata.decode(member.memberMetadata)?.topics ?? [];
}
