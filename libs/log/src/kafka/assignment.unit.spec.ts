import { assign, decodeAssignment, encodeInterest, wantedTopics } from './assignment.js';

const member = (memberId: string, ...topics: string[]) => ({ memberId, memberMetadata: encodeInterest(topics) });
const shares = (members: ReturnType<typeof member>[], counts: Record<string, number>) =>
  Object.fromEntries(assign(members, new Map(Object.entries(counts))).map(({ memberId, memberAssignment }) => [memberId, decodeAssignment(memberAssignment).map(({ topic, partition }) => `${topic}/${partition}`)]));

describe('sharing out partitions', () => {
  it('is even, whole and the same for every order of members', () => {
    const given = shares([member('b', 't', 'u'), member('a', 't', 'u'), member('c', 't', 'u')], { t: 4, u: 3 });
    expect(given).toEqual(shares([member('c', 't', 'u'), member('b', 't', 'u'), member('a', 't', 'u')], { u: 3, t: 4 }));
    expect(Object.values(given).flat().sort()).toEqual(['t/0', 't/1', 't/2', 't/3', 'u/0', 'u/1', 'u/2']);
    expect(Object.values(given).map((share) => share.length).toSorted((a, b) => a - b)).toEqual([2, 2, 3]);
  });

  it('gives a topic only to members that subscribe to it, and nothing to too many', () => {
    const members = [member('old', 't'), member('new', 't', 'u'), member('third', 't')];
    expect(wantedTopics(members)).toEqual(['t', 'u']);
    const given = shares(members, { t: 1, u: 2 });
    expect(given['old']!.concat(given['third']!).filter((each) => each.startsWith('u'))).toEqual([]);
    expect(Object.values(given).flat()).toHaveLength(3);
    expect(shares([member('a', 't')], { u: 5 })).toEqual({ a: [] });
  });
});
