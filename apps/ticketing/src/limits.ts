/** Rows of an event, and seats of a row: 5,000 seats, inserted by one statement in some 50 ms. A stadium is several events, a block each. */
export const ROWS = 50;
export const ROW_SEATS = 100;
/** The dearest seat; times 5,000 it is far below what a number holds exactly. */
export const PRICE_CENTS = 100_000_000;

/** Requests under way in a process, fewer than which are never shed: a spike is no fault here. A thousand wait half a second for ten connections, one at a time for 5 ms. */
export const SPIKE_REQUESTS = 1_000;
/** How long a process believes what it knows of the queue; what it asks may be as old again. So long somebody may be let through at once while others wait elsewhere. */
export const QUEUE_LOOK_MS = 1_000;
/** Handlers of a queue at once in a process, each with a connection: two queues and the requests' 10 are 22 of the 100 that Postgres has by default. */
export const HANDLERS = 4;
