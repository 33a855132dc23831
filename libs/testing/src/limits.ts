/** How long `until` waits by default before it says what it last saw. Tests wait for conditions, never for time; this only bounds a hang. */
export const UNTIL_TIMEOUT_MS = 30_000;
/** How often `until` looks. */
export const UNTIL_POLL_MS = 10;
/** Distance between made-up facts' business times, microseconds. */
export const GIVEN_STEP_MICROS = 1_000_000;
/** Pairs of a row and a fixture that one spec folds, each in three histories: about 1.5 s. Ten facts with 60 fixtures each, which leave 80 rows, make half of them. */
export const FIXTURE_PAIRS_MAX = 100_000;
