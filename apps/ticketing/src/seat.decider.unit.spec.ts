import fc from 'fast-check';
import { Refusal } from 'factline/kernel';
import { TicketLocked, TicketReleased, TicketSold } from './contracts.generated.js';
import { FREE, type Seat, type SeatCommand, type SeatFact, decide, evolve } from './seat.decider.js';

const SEAT = 'flute/A-1';
const MINUTE = 60_000;
const NOON = 1_800_000_000_000;

/** Given what happened, when somebody asks for something, then this is stated, or it is refused. */
const given = (...facts: readonly SeatFact[]) => {
  const seat = facts.reduce(evolve, FREE);
  return {
    when: (command: SeatCommand) => ({
      states: (...stated: SeatFact[]) => expect(decide(SEAT, seat, command)).toEqual(stated),
      refused: (code: string) => {
        const answer = decide(SEAT, seat, command);
        expect(answer).toBeInstanceOf(Refusal);
        expect(answer).toMatchObject({ code });
      },
    }),
  };
};

const lock = { do: 'lock', lockId: 'l-1', customerId: 'ada', at: NOON, until: NOON + 10 * MINUTE } as const;
const later = { do: 'lock', lockId: 'l-2', customerId: 'ben', at: NOON + 10 * MINUTE, until: NOON + 20 * MINUTE } as const;
const purchase = { do: 'purchase', lockId: 'l-1', at: NOON + MINUTE, priceCents: 4_500, currency: 'EUR' } as const;
const giveBack = { do: 'release', lockId: 'l-1', reason: 'given-back' } as const;
const expiry = { ...giveBack, reason: 'expired' } as const;

const ada = { lockId: 'l-1', customerId: 'ada' };
const locked = TicketLocked(SEAT, { ...ada, lockedUntil: lock.until * 1_000 });
const lockedLater = TicketLocked(SEAT, { lockId: 'l-2', customerId: 'ben', lockedUntil: later.until * 1_000 });
const sold = TicketSold(SEAT, { ...ada, priceCents: 4_500, currency: 'EUR', soldAt: purchase.at * 1_000 });
const released = (reason: 'given-back' | 'expired') => TicketReleased(SEAT, { ...ada, reason });

it('a free seat is locked, and one that somebody has is not', () => {
  given().when(lock).states(locked);
  given(locked).when({ ...later, at: lock.until - 1 }).refused('seat.taken');
  given(locked, sold).when(later).refused('seat.taken');
  given(locked, released('given-back')).when(later).states(lockedLater);
});

it('a lock whose time is over holds nobody off: its end is stated before the next one', () => {
  given(locked).when(later).states(released('expired'), lockedLater);
});

it('who has the lock buys the seat, in its time, once', () => {
  given(locked).when(purchase).states(sold);
  given(locked).when({ ...purchase, at: lock.until - 1 }).states(TicketSold(SEAT, { ...ada, priceCents: 4_500, currency: 'EUR', soldAt: (lock.until - 1) * 1_000 }));
  given(locked).when({ ...purchase, at: lock.until }).refused('lock.expired');
  given(locked).when({ ...purchase, lockId: 'l-2' }).refused('lock.unknown');
  given().when(purchase).refused('lock.unknown');
  given(locked, released('expired')).when(purchase).refused('lock.unknown');
  given(locked, sold).when(purchase).refused('seat.sold');
});

it('a lock ends when it is given back or has expired, and only that lock', () => {
  given(locked).when(giveBack).states(released('given-back'));
  given(locked).when(expiry).states(released('expired'));
  for (const end of [giveBack, expiry]) {
    given().when(end).refused('lock.unknown');
    given(locked, released('expired'), lockedLater).when(end).refused('lock.unknown');
    given(locked, sold).when(end).refused('seat.sold');
  }
});

/** What is wrong with the history of a seat; nothing, when each lock has one end, by itself, and nothing follows a sale. */
function faultsOf(history: readonly SeatFact[]): string[] {
  let held: string | undefined;
  let over = false;
  return history.flatMap(({ data }, nth) => {
    const faults: string[] = [];
    if (over) faults.push(`fact ${nth} follows a sale`);
    if ('lockedUntil' in data) {
      if (held !== undefined) faults.push(`fact ${nth} locks what is locked`);
      held = data.lockId;
      return faults;
    }
    if (held !== data.lockId) faults.push(`fact ${nth} ends a lock that does not hold`);
    held = undefined;
    over ||= 'soldAt' in data;
    return faults;
  });
}

const lockId = fc.constantFrom('l-1', 'l-2', 'l-3', 'l-4');
const at = fc.integer({ min: NOON, max: NOON + 5 });
const command: fc.Arbitrary<SeatCommand> = fc.oneof(
  fc.record({ do: fc.constant('lock'), lockId, customerId: fc.constantFrom('ada', 'ben'), at, until: at }),
  fc.record({ do: fc.constant('purchase'), lockId, at, priceCents: fc.nat(), currency: fc.constant('EUR') }),
  fc.record({ do: fc.constant('release'), lockId, reason: fc.constantFrom('expired', 'given-back') }),
);
type Decide = (id: string, seat: Seat, command: SeatCommand) => readonly SeatFact[] | Refusal;
const historyOf = (commands: readonly SeatCommand[], decided: Decide) =>
  commands.reduce<readonly SeatFact[]>((history, each) => {
    const facts = decided(SEAT, history.reduce(evolve, FREE), each);
    return facts instanceof Refusal ? history : [...history, ...facts];
  }, []);
const anyHistory = (decided: Decide) => fc.property(fc.array(command, { maxLength: 30 }), (commands) => expect(faultsOf(historyOf(commands, decided))).toEqual([]));

it('whatever is asked of a seat in whatever order, it is sold once at most, and each lock ends once', () => {
  fc.assert(anyHistory(decide), { numRuns: 2_000 });
});

it.each<[string, Decide]>([
  ['sells what is sold', (id, seat, asked) => decide(id, seat.status === 'sold' ? { ...seat, status: 'locked', until: Infinity } : seat, asked)],
  ['ends a lock that is not the one', (id, seat, asked) => decide(id, seat.status === 'locked' && asked.do === 'release' ? { ...seat, lockId: asked.lockId } : seat, asked)],
  ['locks what is locked', (id, seat, asked) => decide(id, asked.do === 'lock' ? FREE : seat, asked)],
])('control: a decider that %s is found', (_what, wrong) => {
  expect(fc.check(anyHistory(wrong), { numRuns: 2_000 }).failed).toBe(true);
});
