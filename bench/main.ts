import { messageOf } from 'factline/kernel';
import { type Stack, stackEnvironment, startStack } from 'factline/stack';
import { type Machine, describeMachine, loadNow } from './machine.js';
import type { Measurement } from './measurement.js';
import { type Options, USAGE, parseOptions } from './options.js';
import { startChild } from './processes/child.js';
import type { MeasureArgument } from './processes/measure.js';
import { markdownText, tableText } from './report.js';

const USAGE_EXIT = 2;
const INTERRUPTED_EXIT = 130;

/** Runs measures one after another against one stack. @returns what was measured, and which measures failed to run. */
async function runAll(options: Options, stack: Stack, interrupted: AbortSignal): Promise<{ measurements: Measurement[]; failures: string[] }> {
  Object.assign(process.env, stackEnvironment(stack));
  const measurements: Measurement[] = [];
  const failures: string[] = [];
  for (const name of options.run) {
    if (interrupted.aborted) break;
    console.error(`${name} (load ${loadNow()})`);
    const child = startChild<Measurement[]>('measure', { name, quick: options.quick, peers: options.peers } satisfies MeasureArgument);
    const interrupt = () => void child.finish().catch(() => undefined); // it closes what it opened, then this loop ends
    interrupted.addEventListener('abort', interrupt, { once: true });
    try {
      measurements.push(...(await child.result));
    } catch (error) {
      failures.push(`${name}: ${messageOf(error)}`);
    } finally {
      interrupted.removeEventListener('abort', interrupt);
      await child.ended;
    }
  }
  return { measurements, failures };
}

function print(options: Options, measurements: readonly Measurement[], machine: Machine): void {
  if (options.json) {
    console.error(tableText(measurements, machine));
    console.log(JSON.stringify(measurements, undefined, 2));
  } else {
    console.log(options.markdown ? markdownText(measurements, machine) : tableText(measurements, machine));
  }
}

async function main(options: Options): Promise<number> {
  const interruption = new AbortController();
  const interrupt = () => interruption.abort();
  process.on('SIGINT', interrupt).on('SIGTERM', interrupt);
  const loadBefore = loadNow();
  const stack = await startStack({ progress: process.stderr });
  try {
    const machine = await describeMachine(stack, loadBefore);
    const { measurements, failures } = await runAll(options, stack, interruption.signal);
    if (interruption.signal.aborted) return INTERRUPTED_EXIT;
    print(options, measurements, machine);
    for (const failure of failures) console.error(`not measured: ${failure}`);
    return failures.length > 0 || measurements.some(({ gate }) => gate === 'FAILED') ? 1 : 0;
  } finally {
    await stack.stop();
  }
}

function optionsOrUsage(): Options | undefined {
  try {
    return parseOptions(process.argv.slice(2));
  } catch (error) {
    console.error(`${messageOf(error)}\n\n${USAGE}`);
    return undefined;
  }
}

const options = optionsOrUsage();
process.exitCode = options ? await main(options) : USAGE_EXIT;
