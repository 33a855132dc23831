// `npm test -- [--tier=unit|stack|faults] [--quick] [--stack=docker|packages] [Jest's path filters and flags]`, after the build:
// unit specs first, then all others: on one started stack, or, when they are many, in two lanes side by side, each with a stack of its own.
// The tier `faults` is the fault suite alone, with its slow rows unless `--quick`.
// The last line is `N passed, N failed` (and `, N skipped`); the exit code is 1 when a test failed or none ran.
import { spawn } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, relative } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';

/** Specs run from source under Jest's ESM loader; two workers fit the smallest machine we test on, and a stack has one set of ports and groups. */
const tiers = {
  unit: ['--testMatch=<rootDir>/{libs,apps,e2e}/**/*.unit.spec.ts', '--maxWorkers=2'],
  stack: ['--testMatch=<rootDir>/{libs,apps,e2e}/**/!(*.unit).spec.ts', '--runInBand'],
  faults: ['--testMatch=<rootDir>/e2e/faults/*.faults.spec.ts', '--runInBand'],
};
/** Two cores are a third idle under one lane, for specs wait for processes that start; 28 minutes became 19. */
const LANES = 2;
/** Below, a second stack takes longer to start than it saves. */
const FILES_FOR_LANES = 30;
/** Results are written when the last test has ended; what keeps the process alive after that is told, once it has had the time to give a large heap back, */
const TOLD_AFTER_RESULTS_MS = 20_000;
/** and is a leak when it is still there when every timeout of a client has passed: Kafka's requests have 30 s. */
const LEAKED_AFTER_MS = 60_000;
const POLL_MS = 200;
/** Node's own report of a process, written on SIGUSR2 (nodejs.org/api/report.html): it names the open connections of a run that does not end. */
const REPORT = 'report.json';
const REPORT_SIGNAL = 'SIGUSR2';
const REPORT_WITHIN_MS = 5_000;

const own = { tier: ['unit', 'stack', 'faults'], stack: ['docker', 'packages'] };
const isOwn = (argument) => argument === '--quick' || Object.keys(own).some((name) => argument.startsWith(`--${name}=`));
const quick = process.argv.includes('--quick');
const chosen = Object.fromEntries(process.argv.filter((argument) => isOwn(argument) && argument !== '--quick').map((argument) => argument.slice(2).split('=')));
const filters = process.argv.slice(2).filter((argument) => !isOwn(argument));
const folder = mkdtempSync(join(tmpdir(), 'factline-test-'));
const total = { passed: 0, failed: 0, skipped: 0 };
/** Names of tests that say themselves why they were left out. */
const leftOut = [];
/** What failed, for the end of a log that is often all that is kept. */
const failures = [];
const running = new Set();
let interrupted;

/** `stdio` is of stdout and stderr; a report that is asked for goes to `report` in the folder. */
function jest(args, { env = {}, stdio = ['inherit', 'inherit'], report = REPORT } = {}) {
  const child = spawn(process.execPath, ['--report-on-signal', `--report-directory=${folder}`, `--report-filename=${report}`, 'node_modules/jest/bin/jest.js', ...args], {
    stdio: ['ignore', ...stdio],
    env: { ...process.env, ...env, NODE_OPTIONS: `${process.env.NODE_OPTIONS ?? ''} --experimental-vm-modules --disable-warning=ExperimentalWarning`.trim() },
  });
  running.add(child);
  child.once('close', () => running.delete(child));
  return child;
}

const ended = (child) => new Promise((resolve, reject) => child.once('error', reject).once('close', (code, signal) => resolve({ code, signal })));

/** How many spec files the filters leave in a tier: the stack is started only for specs that will run. */
async function filesOf(tier) {
  if (interrupted || (chosen.tier !== undefined && chosen.tier !== tier)) return 0;
  const child = jest([...filters, '--listTests', '--passWithNoTests', tiers[tier][0]], { stdio: ['pipe', 'inherit'] });
  let text = '';
  child.stdout.on('data', (chunk) => (text += chunk));
  const { code } = await ended(child);
  if (code !== 0) throw new Error(`jest could not list the ${tier} specs (exit code ${code}); see above`);
  return text.split('\n').filter((line) => line.trim() !== '').length;
}

/** Adds one Jest result to the total. A suite that did not get as far as a failing test (syntax, import, hook) counts as one failure. */
function add(result) {
  const broken = result.testResults.filter((suite) => suite.status === 'failed' && !suite.assertionResults.some((test) => test.status === 'failed'));
  total.passed += result.numPassedTests;
  total.failed += result.numFailedTests + broken.length;
  failures.push(...broken.map(({ name }) => relative(process.cwd(), name)));
  failures.push(...result.testResults.flatMap(({ name, assertionResults }) => assertionResults.filter(({ status }) => status === 'failed').map(({ fullName }) => `${relative(process.cwd(), name)}: ${fullName}`)));
  total.skipped += result.numPendingTests + result.numTodoTests;
  leftOut.push(...result.testResults.flatMap((suite) => suite.assertionResults).flatMap(({ status, fullName }) => (status === 'pending' && fullName.includes('(skipped: ') ? fullName : [])));
}

/** What keeps a process alive: its active handles, a line each. */
async function handlesOf(child, report) {
  child.kill(REPORT_SIGNAL);
  for (let waited = 0; waited < REPORT_WITHIN_MS; waited += POLL_MS) {
    await pause(POLL_MS);
    try {
      const { libuv } = JSON.parse(readFileSync(report, 'utf8'));
      const end = (at) => (at ? `${at.host ?? at.ip4 ?? at.ip6}:${at.port}` : '?');
      return libuv
        .filter((handle) => handle.is_active && handle.is_referenced)
        .map(({ type, localEndpoint, remoteEndpoint, pid, firesInMsFromNow }) => [type, ...(localEndpoint ? [`${end(localEndpoint)} to ${end(remoteEndpoint)}`] : []), ...(pid ? [`pid ${pid}`] : []), ...(firesInMsFromNow ? [`in ${firesInMsFromNow} ms`] : [])].join(' '));
    } catch (error) {
      if (error.code !== 'ENOENT' && !(error instanceof SyntaxError)) throw error; // not there yet, or not whole
    }
  }
  return ['none are known: the process did not answer'];
}

async function run(tier, env, lane) {
  const name = lane === undefined ? tier : `${tier}-${lane}`;
  const output = join(folder, `${name}.json`);
  const report = `${name}-${REPORT}`;
  const args = [...filters, ...tiers[tier], ...(lane === undefined ? [] : [`--shard=${lane}/${LANES}`]), '--json', `--outputFile=${output}`];
  const child = jest(args, { env: lane !== undefined && process.stderr.isTTY ? { FORCE_COLOR: '1', ...env } : env, stdio: ['ignore', lane === undefined ? 'inherit' : 'pipe'], report });
  child.stderr?.on('data', (text) => process.stderr.write(text)); // not the terminal itself: two lanes would draw their progress over each other's
  const watch = new AbortController();
  const leaked = (async () => {
    while (!existsSync(output)) await pause(POLL_MS, undefined, { signal: watch.signal });
    await pause(TOLD_AFTER_RESULTS_MS, undefined, { signal: watch.signal });
    const handles = await handlesOf(child, join(folder, report));
    if (child.exitCode !== null || child.signalCode !== null) return false; // ended by now
    const open = `a spec of the ${tier} run left this open (npm test -- <path> --detectOpenHandles finds where): ${handles.join('; ')}`;
    console.error(`tests: ${open}`);
    await pause(LEAKED_AFTER_MS, undefined, { signal: watch.signal });
    failures.push(open);
    child.kill('SIGKILL');
    return true;
  })().catch((error) => {
    if (error.name !== 'AbortError') throw error;
    return false;
  });
  const { code, signal } = await ended(child);
  watch.abort();
  const hasLeaked = await leaked;
  const before = total.failed;
  if (existsSync(output)) add(JSON.parse(readFileSync(output, 'utf8')));
  if (hasLeaked) total.failed += 1;
  else if (code !== 0 && signal !== REPORT_SIGNAL && total.failed === before) { // a process that is ending has put its handler away: then the question for a report ends it
    total.failed += 1;
    failures.push(`the ${tier} run ended with ${signal ?? `code ${code}`} though each of its tests held`);
  }
}

async function withStack(use) {
  const { startStack, stackEnvironment } = await import('factline/stack');
  const stack = await startStack({ progress: process.stdout, ...(chosen.stack ? { from: chosen.stack } : {}) });
  try {
    if (!interrupted) await use(stackEnvironment(stack), stack);
  } finally {
    await stack.stop();
  }
}

/** The first stack has downloaded what the others need; one that was given is one for all. */
async function inLanes(tier, files) {
  await withStack(async (env, { source }) => {
    if (files < FILES_FOR_LANES || source === 'environment') return run(tier, env);
    const others = Array.from({ length: LANES - 1 }, (_, at) => withStack((other) => run(tier, other, at + 2)));
    const broken = (await Promise.allSettled([run(tier, env, 1), ...others])).find(({ status }) => status === 'rejected');
    if (broken) await Promise.reject(broken.reason);
  });
}

for (const signal of ['SIGINT', 'SIGTERM']) {
  process.on(signal, () => {
    // The terminal has told Jest too; the stack is stopped on the way out, whatever the signal met.
    interrupted = signal;
    for (const child of running) child.kill(signal);
  });
}

try {
  for (const [name, value] of Object.entries(chosen)) {
    if (!own[name].includes(value)) throw new Error(`--${name}=${value}: write one of ${own[name].map((each) => `--${name}=${each}`).join(', ')}`);
  }
  const wanted = { unit: await filesOf('unit'), stack: await filesOf('stack') };
  if (wanted.unit > 0 && !interrupted) await run('unit');
  if (wanted.stack > 0 && !interrupted) await inLanes('stack', wanted.stack);
  if (chosen.tier === 'faults' && (await filesOf('faults')) > 0 && !interrupted) await withStack((env) => run('faults', quick ? env : { ...env, FACTLINE_FAULTS: 'whole' }));
} catch (error) {
  total.failed += 1;
  console.error(error);
} finally {
  rmSync(folder, { recursive: true, force: true });
}
for (const name of leftOut) console.log(`left out: ${name}`);
for (const what of failures) console.error(`failed: ${what}`);
if (interrupted) console.error(`tests: interrupted by ${interrupted}; the figures are of what had ended`);
if (total.passed + total.failed === 0) console.error(`tests: none ran${filters.length > 0 ? ` for ${filters.join(' ')}` : ''}`);
const ok = !interrupted && total.failed === 0 && total.passed > 0;
// A driver that a failed start left open must not keep this process: exit once the last line is written.
process.stdout.write(`${total.passed} passed, ${total.failed} failed${total.skipped > 0 ? `, ${total.skipped} skipped` : ''}\n`, () => process.exit(interrupted ? 130 : ok ? 0 : 1));
