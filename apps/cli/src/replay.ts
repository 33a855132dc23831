import type { Command } from 'commander';
import { type DifferingRow, type Projection, Rebuild, type RebuildProgress, type RebuildStatus, type Staged, type Swapped, type Verification } from 'factline/projections';
import { type CommonOptions, cancellation, exitWith } from './command.js';
import { appOf, connectionsOf, loadConfig } from './config.js';
import { EXIT_CODES, type Output, bytes, count, elapsed } from './output.js';
import { findProjection } from './projections.js';

interface ReplayOptions extends CommonOptions {
  app: string;
  dryRun?: boolean;
  projectionVersion?: string;
  acceptDifferences?: boolean;
  staged?: boolean;
  key?: string;
}

interface Context {
  rebuild: Rebuild;
  projection: Projection;
  output: Output;
  options: ReplayOptions;
}

const BAR_WIDTH = 20;
/** Differing rows shown to people; machines get all that were looked up. */
const ROWS_PRINTED = 6;

/** `factline replay ...`: rebuilds a read model from offset zero while it serves. */
export function replayCommand(program: Command): void {
  const replay = program.command('replay').description('rebuild a read model from offset zero, verified, while it serves');
  const verb = (name: string, description: string, run: (context: Context) => Promise<number | void>) =>
    replay
      .command(`${name} <projection>`)
      .description(description)
      .requiredOption('--app <name>', 'the app that owns the read model, as named in factline.config.json')
      .option('--projection-version <n>', 'which version, when the code exports several (default: the newest)')
      .option('--root <folder>', 'where factline.config.json is (default: here)')
      .option('--json', 'print JSON lines')
      .action((projection: string, options: ReplayOptions) => exitWith(options, (output) => withRebuild(projection, options, output, run)));
  verb('run', 'stage, verify and swap', runAll)
    .option('--dry-run', 'check and estimate only, change nothing')
    .option('--key <key>', 'rebuild the row of one key only')
    .option('--accept-differences', 'swap although the rebuilt model differs from the live one');
  verb('stage', 'build the next generation beside the live one', runStage).option('--dry-run', 'check and estimate only, change nothing');
  verb('status', 'show the live, staged and previous generation', runStatus);
  verb('verify', 'compare the staged generation with the live one at equal offsets', runVerify);
  verb('swap', 'make the staged generation live', runSwap);
  verb('rollback', 'make the generation before the last swap live again', runRollback);
  verb('drop', 'remove the generation kept by the last swap', runDrop).option('--staged', 'remove the staged generation instead');
}

async function withRebuild(name: string, options: ReplayOptions, output: Output, run: (context: Context) => Promise<number | void>): Promise<number | void> {
  const config = await loadConfig(options.root);
  const app = appOf(config, options.app);
  const { projection, module } = await findProjection(config, app, name, options.app, options.projectionVersion);
  const { signal, release } = cancellation();
  const rebuild = await Rebuild.open({
    projection,
    module,
    connections: await connectionsOf(config, app),
    abort: signal,
    onProgress: (progress) => output.move({ event: 'progress', ...progress }, progressLine(output, progress)),
  });
  try {
    return await run({ rebuild, projection, output, options });
  } finally {
    release();
    await rebuild.close();
  }
}

async function runAll(context: Context): Promise<number | void> {
  const { rebuild, projection, output, options } = context;
  if (options.key !== undefined) return runKey(context, options.key);
  await printPreflight(context);
  if (options.dryRun) return;
  const before = await rebuild.status();
  printStaged(context, await rebuild.stage());
  if (before.live?.positions.some(({ nextOffset }) => nextOffset > 0)) {
    const verification = await rebuild.verify();
    printVerification(context, verification);
    if (!verification.equal && !options.acceptDifferences && before.live.current) return stopBeforeSwap(context);
  } else {
    output.print({ event: 'verify', skipped: 'nothing live' }, line(output, 'verify', 'left out: the live model has applied nothing yet'));
  }
  printSwapped(context, await rebuild.swap(), `generation before it is kept until: factline replay drop ${projection.name} --app ${options.app}`);
}

/** Same code, other rows: the live model drifted, or its fold is not pure. Which of both is right is for a person to say. */
function stopBeforeSwap({ output, options, projection }: Context): number {
  output.print(
    { event: 'stopped', reason: 'differences' },
    line(output, 'stopped', 'the live model was built by the same version of the code, so the difference is drift or an impure fold.'),
    `            Make the rebuilt one live: factline replay swap ${projection.name} --app ${options.app}`,
    `            Or drop it:                factline replay drop ${projection.name} --app ${options.app} --staged`,
  );
  return EXIT_CODES.findings;
}

async function runStage(context: Context): Promise<void> {
  await printPreflight(context);
  if (!context.options.dryRun) printStaged(context, await context.rebuild.stage());
}

async function runVerify(context: Context): Promise<number> {
  const verification = await context.rebuild.verify();
  printVerification(context, verification);
  return verification.equal ? 0 : EXIT_CODES.findings;
}

async function runSwap(context: Context): Promise<void> {
  const { options, projection } = context;
  printSwapped(context, await context.rebuild.swap(), `back with: factline replay rollback ${projection.name} --app ${options.app}`);
}

async function runRollback(context: Context): Promise<void> {
  const swapped = await context.rebuild.rollback();
  printSwapped(context, swapped, swapped.behind ? 'it is behind until the app of its version has caught up' : 'it was brought up to date first');
}

async function runDrop({ rebuild, output, options, projection }: Context): Promise<void> {
  const which = options.staged ? 'staged' : 'previous';
  const dropped = await rebuild.drop(which);
  output.print({ event: 'drop', which, dropped }, line(output, 'drop', dropped ? `the ${which} generation of ${projection.name} is gone` : `there was no ${which} generation of ${projection.name}`));
}

async function runKey({ rebuild, output }: Context, key: string): Promise<void> {
  const result = await rebuild.rebuildKey(key);
  output.print({ event: 'key', ...result }, line(output, 'key', `${count(result.facts)} facts of ${key} folded, row ${result.outcome} in ${elapsed(result.elapsedMs)}`));
}

async function runStatus({ rebuild, projection, output }: Context): Promise<void> {
  const status = await rebuild.status();
  output.print({ event: 'status', projection: projection.name, ...status }, ...statusLines(output, projection, status));
}

async function printPreflight({ rebuild, output }: Context): Promise<void> {
  const { plan, estimateMs } = await rebuild.preflight();
  const partitions = plan.ends.length;
  output.print(
    { event: 'preflight', ...plan, estimateMs },
    line(output, 'preflight', `${plan.topic}: ${partitions} partitions from offset 0, ${count(plan.facts)} facts; about ${elapsed(estimateMs)}; needs ${bytes(plan.liveBytes)}`),
  );
}

function printStaged({ output }: Context, staged: Staged): void {
  const { facts, factsPerSecond, rows, elapsedMs, indexMs, resumed, plan, blockedKeys } = staged;
  const rate = factsPerSecond > 0 ? `${count(factsPerSecond)}/s` : 'done before';
  const again = resumed > 0 ? `, ${resumed} of ${plan.ends.length} partitions from an interrupted run` : '';
  output.print(
    { event: 'stage', facts, rows, factsPerSecond, elapsedMs, indexMs, resumed, blockedKeys, generation: plan.generation },
    line(output, 'stage', `${bar(1)} ${count(facts)} facts   ${rate}   ${count(rows)} rows in ${elapsed(elapsedMs)} (keys and indexes ${elapsed(indexMs)})${again}`),
    ...(blockedKeys > 0 ? [line(output, 'blocked', output.paint(`${count(blockedKeys)} keys have facts that cannot be folded; their rows end before these`, 'yellow'))] : []),
  );
}

function printVerification({ output }: Context, verification: Verification): void {
  const { equal, liveRows, rebuiltRows, buckets, differingBuckets: differing, differences, elapsedMs } = verification;
  const verdict = equal
    ? output.paint(`equal to live at the same offsets (${count(rebuiltRows)} rows, ${buckets} buckets) in ${elapsed(elapsedMs)}`, 'green')
    : output.paint(`differs from live at the same offsets: ${count(liveRows)} rows live, ${count(rebuiltRows)} rebuilt, ${differing} of ${buckets} buckets differ`, 'yellow');
  output.print({ event: 'verify', ...verification }, line(output, 'verify', verdict), ...differences.slice(0, ROWS_PRINTED).flatMap(differenceLines), ...moreLines(differences.length));
}

function moreLines(differences: number): string[] {
  return differences > ROWS_PRINTED ? [`            and more; --json names up to ${differences}`] : [];
}

function differenceLines({ key, live, rebuilt, columns }: DifferingRow): string[] {
  if (!live) return [`            ${key}: only in the rebuilt model`];
  if (!rebuilt) return [`            ${key}: only in the live model`];
  return [`            ${key}: ${columns.map((column) => `${column} live ${JSON.stringify(live[column])}, rebuilt ${JSON.stringify(rebuilt[column])}`).join('; ')}`];
}

function printSwapped({ output }: Context, swapped: Swapped, then: string): void {
  const { heldMs, toGeneration, attempts } = swapped;
  output.print({ event: 'swap', ...swapped }, line(output, 'swap', `${elapsed(heldMs)}, generation ${toGeneration} is live${attempts > 1 ? ` (attempt ${attempts})` : ''}; ${then}`));
}

function statusLines(output: Output, projection: Projection, { live, staged, previous }: RebuildStatus): string[] {
  const version = (fits: boolean) => (fits ? '' : `, this code is version ${projection.version}: it will not continue it`);
  const lines = [
    line(output, 'live', live ? `generation ${live.generation}, version ${live.version}${version(live.current)}, ${bytes(live.bytes)}, offsets ${live.positions.map(({ nextOffset }) => nextOffset).join(' ')}` : 'none'),
  ];
  if (staged) {
    const { phase, alive, progress, plan } = staged;
    const share = progress.totalFacts ? `${Math.floor((100 * (progress.facts ?? 0)) / progress.totalFacts)} %, ${count(progress.factsPerSecond ?? 0)}/s` : '';
    const interrupted = !alive && ['stage', 'index', 'tail'].includes(phase) ? ', interrupted: run the same command again to go on' : '';
    lines.push(line(output, 'rebuild', `generation ${plan.generation}, version ${plan.version}, ${phase} ${share}${interrupted}`));
  }
  lines.push(line(output, 'previous', previous ? `generation ${previous.generation}, version ${previous.version}: factline replay rollback ${projection.name}` : 'none'));
  return lines;
}

function progressLine(output: Output, { phase, facts, totalFacts, rows, factsPerSecond, etaMs }: RebuildProgress): string {
  const share = totalFacts > 0 ? facts / totalFacts : 1;
  const eta = etaMs === null ? '' : `   ${elapsed(etaMs)} left`;
  return line(output, phase, `${bar(share)} ${count(facts)} of ${count(totalFacts)} facts   ${count(factsPerSecond)}/s   ${count(rows)} rows${eta}`);
}

function bar(share: number): string {
  const full = Math.round(BAR_WIDTH * Math.min(1, share));
  return '█'.repeat(full) + '░'.repeat(BAR_WIDTH - full);
}

function line(output: Output, step: string, text: string): string {
  return `${output.paint(step.padEnd(11), 'bold')} ${text}`;
}
