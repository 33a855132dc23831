import type { Command } from 'commander';
import type { DeadLetter, DeadLetterFilter } from 'factline/consumer';
import { DeadLetters } from 'factline/projections';
import { FactlineError, grouped } from 'factline/kernel';
import { type CommonOptions, cancellation, exitWith } from './command.js';
import { appOf, connectionsOf, loadConfig } from './config.js';
import { EXIT_CODES, type Output, count } from './output.js';
import { findProjection } from './projections.js';

interface DeadLetterOptions extends CommonOptions {
  app: string;
  key?: string;
  code?: string;
  all?: boolean;
  offset?: string;
  reason?: string;
  by?: string;
  dryRun?: boolean;
  canary?: string;
  rate?: string;
  stopAt?: string;
}

interface Task {
  letters: DeadLetters;
  output: Output;
  options: DeadLetterOptions;
}

/** Keys shown to people for one reason; machines get all that were read. */
const KEYS_SHOWN = 5;

/** `factline dead-letters ...`: facts that a read model could not apply, and the keys they block. */
export function deadLetterCommands(program: Command): void {
  const group = program.command('dead-letters').description('facts that a read model could not apply, and the keys they block');
  const verb = (name: string, description: string, run: (task: Task) => Promise<number | void>) =>
    group
      .command(`${name} <projection>`)
      .description(description)
      .requiredOption('--app <name>', 'the app that owns the read model, as named in factline.config.json')
      .option('--key <key>', 'only this key')
      .option('--code <code>', 'only keys whose failed fact has this code')
      .option('--root <folder>', 'where factline.config.json is (default: here)')
      .option('--json', 'print JSON lines')
      .action((projection: string, options: DeadLetterOptions) => exitWith(options, (output) => withLetters(projection, options, output, run)));
  verb('list', 'show what is blocked, by reason', list);
  verb('get', 'show the facts of one key as the app reads them', get);
  verb('requeue', 'apply the waiting facts, after the repair; in order, key by key, while the app runs', requeue)
    .option('--all', 'all blocked keys')
    .option('--dry-run', 'say what would be applied, change nothing')
    .option('--canary <n>', 'keys that are tried first; when one is blocked still, the others are left alone', '1')
    .option('--rate <n>', 'keys a second at most')
    .option('--stop-at <share>', 'stop when more than this share of the keys is blocked still', '0.1');
  verb('purge', 'give waiting facts up for good; what, why and by whom is kept', purge)
    .option('--all', 'all blocked keys')
    .option('--offset <n>', 'only the fact at this offset; the others of its key go on waiting')
    .requiredOption('--reason <text>', 'why they are not needed')
    .requiredOption('--by <who>', 'who answers for it');
}

async function withLetters(name: string, options: DeadLetterOptions, output: Output, run: (task: Task) => Promise<number | void>): Promise<number | void> {
  const config = await loadConfig(options.root);
  const app = appOf(config, options.app);
  const connections = await connectionsOf(config, app);
  const { projection } = await findProjection(config, app, name, options.app);
  let letters = await DeadLetters.open(projection, connections);
  try {
    const live = await letters.liveVersion();
    if (live !== undefined && live !== projection.version) {
      await letters.close(); // the code may export versions that are not live yet
      letters = await DeadLetters.open((await findProjection(config, app, name, options.app, String(live))).projection, connections);
    }
    return await run({ letters, output, options });
  } finally {
    await letters.close();
  }
}

function filterOf({ key, code, all }: DeadLetterOptions): DeadLetterFilter {
  return { ...(key !== undefined && { key }), ...(code !== undefined && { code }), ...(all && { all }) };
}

async function list({ letters, output, options }: Task): Promise<void> {
  const { letters: found, keys, facts } = await letters.list(options.key === undefined && options.code === undefined ? { all: true } : filterOf(options));
  const failed = found.filter(({ code }) => code !== null);
  const lines = [...grouped(failed, ({ code, reason }) => `${code}  ${withoutPlace(reason ?? '')}`)].flatMap(([reason, of]) => [
    `${output.paint(`${count(of.length)} keys`, 'bold')}  ${reason}`,
    `  ${of.slice(0, KEYS_SHOWN).map(({ key, topic, partition, offset }) => `${key} (${topic}[${partition}] offset ${offset})`).join(', ')}${of.length > KEYS_SHOWN ? ', ...' : ''}`,
  ]);
  output.print({ keys, facts, letters: found.map(plain) }, ...lines, keys === 0 ? 'no key is blocked' : `${count(keys)} keys are blocked, ${count(facts)} facts wait`);
}

async function get({ letters, output, options }: Task): Promise<void> {
  if (options.key === undefined) throw new FactlineError({ code: 'cli.key-missing', kind: 'invalid', message: 'Which key is not said.', advice: 'Pass --key <key>; list shows them.' });
  for (const { letter, fact, unreadable } of await letters.read(options.key)) {
    const shown = fact ? `${fact.name} ${JSON.stringify(fact.data)}` : (unreadable ?? 'a fact that this app does not select');
    output.print({ ...plain(letter), fact: fact && { name: fact.name, data: fact.data, sequence: fact.meta.sequence }, unreadable }, `offset ${letter.offset}  ${letter.code ?? 'waits'}  ${shown}`, ...(letter.reason ? [`  ${letter.reason}`] : []));
  }
}

async function requeue({ letters, output, options }: Task): Promise<number | void> {
  if (options.dryRun) {
    const { keys, facts } = await letters.list(filterOf(options));
    return output.print({ dryRun: true, keys, facts }, `would apply ${count(facts)} facts of ${count(keys)} keys`);
  }
  const { signal, release } = cancellation();
  let [keys, facts, left] = [0, 0, 0];
  try {
    for await (const done of letters.requeue(filterOf(options), { abort: signal, canary: number('canary', options.canary), stopAt: number('stop-at', options.stopAt), ...(options.rate !== undefined && { rate: number('rate', options.rate) }) })) {
      keys++;
      facts += done.applied;
      if (done.waiting > 0) left++;
      output.print(done, ...(done.waiting > 0 ? [`${done.key}: ${count(done.applied)} applied, ${count(done.waiting)} wait still: ${done.code}  ${done.reason}`] : []));
    }
  } finally {
    release();
  }
  output.print({ event: 'requeued', keys, facts, left }, `${count(facts)} facts of ${count(keys)} keys applied${left > 0 ? `; ${count(left)} keys are blocked still` : ''}`);
  return left > 0 ? EXIT_CODES.findings : 0;
}

async function purge({ letters, output, options }: Task): Promise<void> {
  const filter = { ...filterOf(options), ...(options.offset !== undefined && { offset: number('offset', options.offset) }) };
  const purged = await letters.purge(filter, { reason: options.reason!, by: options.by! });
  output.print(purged, `${count(purged.facts)} facts of ${count(purged.keys)} keys given up; what is left of these keys: factline dead-letters list`);
}

function number(name: string, text: string | undefined): number {
  if (text !== undefined && /^\d{1,9}(\.\d{1,9})?$/.test(text)) return Number(text);
  throw new FactlineError({ code: 'cli.number', kind: 'invalid', message: `--${name} ${String(text)} is not a number.`, advice: `Give a number: --${name} 10` });
}

function plain({ parkedAt, ...letter }: DeadLetter): object {
  return { ...letter, parkedAt: parkedAt.toISOString() };
}

/** One fault at many places is one reason. */
function withoutPlace(reason: string): string {
  return reason.replaceAll(/\S+\[\d+\] offset \d+(: )?/g, '').replace(/ at $/, '').trim();
}
