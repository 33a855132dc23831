import type { StatedFact } from './employee-topic.js';
import { type RestAnswer, ask } from './rest.js';

/** A crowd is slow on a small machine, and each of its requests begins with a connection. */
const CROWD_TIMEOUT = 60_000;

/** What came of a request for a seat; undefined: whoever was asked is gone. */
export type Asked = RestAnswer | undefined;

export async function openEvent(url: string, id: string, seats: number): Promise<void> {
  const { status } = await ask(`${url}/events`, 'POST', { id, name: 'The Magic Flute', rows: [{ row: 'A', seats }], priceCents: 4_500, currency: 'EUR' });
  if (status !== 201) throw new Error(`the event ${id} was answered ${status}`);
}

export function lockSeat(url: string, event: string, seat: string, customerId: string): Promise<RestAnswer> {
  return ask(`${url}/events/${event}/seats/${seat}/locks`, 'POST', { customerId }, {}, CROWD_TIMEOUT);
}

export function buySeat(url: string, event: string, seat: string, lockId: unknown): Promise<RestAnswer> {
  return ask(`${url}/events/${event}/seats/${seat}/locks/${String(lockId)}/purchase`, 'POST');
}

/** All at once, each for the seat and at the address that is its turn. `told` is told of each answer as it comes. */
export function crowd(size: number, urls: readonly string[], event: string, seats: readonly string[], told: (asked: Asked) => void = () => undefined): Promise<{ seat: string; asked: Asked }[]> {
  return Promise.all(
    Array.from({ length: size }, async (_, nth) => {
      const seat = seats[nth % seats.length]!;
      const asked = await lockSeat(urls[nth % urls.length]!, event, seat, `c-${nth}`).catch(() => undefined);
      told(asked);
      return { seat, asked };
    }),
  );
}

/** What is wrong with the history of a seat: locks that are not ended before the next one, ends of locks that do not hold, and whatever follows a sale. */
export function faultsOfSeat(facts: readonly StatedFact[]): string[] {
  let held: unknown;
  let sold = false;
  return facts.flatMap(({ key, name, sequence, data }) => {
    const locks = name === 'ticketing.TicketLocked';
    const faults = [sold && 'follows a sale', locks && held !== undefined && 'locks what is locked', !locks && held !== data['lockId'] && 'ends a lock that does not hold'];
    held = locks ? data['lockId'] : undefined;
    sold ||= name === 'ticketing.TicketSold';
    return faults.flatMap((fault) => (fault === false ? [] : [`${key}: fact ${sequence} ${fault}`]));
  });
}
