/** How long `until` waits by default before it says what it last saw. Tests wait for conditions, never for time; this only bounds a hang, on a machine that may be a third as fast as ours. */
export const UNTIL_TIMEOUT_MS = 60_000;
/** How often `until` looks. */
export const UNTIL_POLL_MS = 10;
/** Distance between made-up facts' business times, microseconds. */
export const GIVEN_STEP_MICROS = 1_000_000;
/** Pairs of a row and a fixture that one spec folds, each in three histories: about 1.5 s. Ten facts with 60 fixtures each, which leave 80 rows, make half of them. */
export const FIXTURE_PAIRS_MAX = 100_000;
/** Where simulated time begins: any moment, so that runs print the same times. */
export const SIMULATION_START_MS = 1_700_000_000_000;
/** Steps of one simulation at most. It only bounds a hang: the slowest of 2,800 sound runs of the relay took 2,238. */
export const SIMULATION_STEPS_MAX = 40_000;
/** How long a simulated fetch that found nothing waits before the next one, as Kafka's broker does. */
export const SIMULATED_FETCH_WAIT_MS = 250;
/** How long a simulated client waits for an answer, as the Kafka client does by default. */
export const SIMULATED_REQUEST_TIMEOUT_MS = 30_000;
/** How far simulated time goes on in one step while a request is under way: the few slowest requests then take longer than a heartbeat, and hardly one an hour. */
export const SIMULATION_DELAY_MS = 500;
/** For one test's usual number of runs, which take 2 to 10 s: a machine that does much else took ten times as long. */
export const SIMULATION_TIMEOUT_MS = 120_000;
