/** Set by `npm run test:faults`; without it, also in `npm test`, only the quick rows run. */
const WHOLE_SUITE = 'FACTLINE_FAULTS';

type RowTest = () => Promise<unknown>;

/** A row that takes longer than half a minute: left out, with its reason, unless the whole suite is asked for. */
export function slow(name: string, test: RowTest, timeoutMs?: number): void {
  needing(process.env[WHOLE_SUITE] === 'whole' ? undefined : 'it is slow: npm run test:faults runs it')(name, test, timeoutMs);
}

/**
 * For rows that need what not every machine has: `needing(withoutTool('strace'))('E4 ...', test)`.
 * @param lack what is missing here, as a sentence; undefined when nothing is.
 */
export function needing(lack: string | undefined): (name: string, test: RowTest, timeoutMs?: number) => void {
  return lack === undefined ? it : (name) => it.skip(`${name} (skipped: ${lack})`, () => undefined);
}
