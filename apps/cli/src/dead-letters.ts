import type { Command } from 'commander';
import { readFileSync } from 'node:fs';
import { userInfo } from 'node:os';
import type { DeadLetterFilter } from 'factline/consumer';
import { DeadLetters } from 'factline/projections';
import { ReactionDeadLetters } from 'factline/reactions';
import { FactlineError, grouped } from 'factline/kernel';
import { cancellation, exitWith } from './command.js';
import { appOf, connectionsOf, loadConfig } from './config.js';
import { type DeadLetterOptions, number } from './dead-letter-options.js';
import { EXIT_CODES, type Output, count } from './output.js';
import { findProjection } from './projections.js';
import { withReactionLetters } from './reaction-letters.js';
import { followRedrive } from './redrives.js';

interface Task {
  letters: DeadLetters | ReactionDeadLetters;
  output: Output;
  options: DeadLetterOptions;
}

/** Keys shown to people for one reason; machines get all that were read. */
const KEYS_SHOWN = 5;

/** `factline dead-letters ...`: facts that a read model or a reaction could not apply, and the keys they block. */
export function deadLetterCommands(program: Command): void {
  const group = program.command('dead-letters').description('facts that a read model or a reaction could not apply, and the keys they block');
  const verb = (name: string, description: string, run: (task: Task) => Promise<number | void>) =>
    group
      .command(`${name} <subscription>`)
      .description(description)
      .requiredOption('--app <name>', 'the app whose read model or reactions it is, as named in factline.config.json')
      .option('--key <key>', 'only this key')
      .option('--code <code>', 'only keys whose failed fact has this code')
      .option('--schema <id>', 'only keys whose failed fact was written with this schema')
      .option('--root <folder>', 'where factline.config.json is (default: here)')
      .option('--json', 'print JSON lines')
      .action((subscription: string, options: DeadLetterOptions) => exitWith(options, (output) => withLetters(subscription, options, output, run)));
  verb('list', 'show what is blocked, by reason and schema', list);
  verb('get', 'show the facts of one key as the app reads them', get);
  verb('requeue', 'apply the waiting facts, after the repair; in order, key by key, while the app runs', requeue)
    .option('--all', 'all blocked keys')
    .option('--dry-run', 'say what would be applied, change nothing')
    .option('--canary <n>', 'keys that are tried first; when one is blocked still, the others are left alone', '1')
    .option('--rate <n>', 'keys a second at most')
    .option('--stop-at <share>', 'stop when more than this share of the keys is blocked still', '0.1')
    .option('--by <who>', 'who asks for it (reactions; default: the user of this machine)')
    .option('--no-wait', 'reactions: leave it to the app, and do not look on');
  verb('edit', 'reactions: handle other data in the place of a waiting fact; the log keeps the original', edit)
    .requiredOption('--offset <n>', 'where the fact is')
    .requiredOption('--data <file>', 'JSON file with the data as the app selects it; - for standard input')
    .option('--fact <name>', 'what it is, where that cannot be read')
    .requiredOption('--reason <text>', 'why')
    .requiredOption('--by <who>', 'who answers for it');
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
  const reacted = await withReactionLetters(name, connections, (letters) => run({ letters, output, options }));
  if (reacted) return reacted.code;
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

function filterOf({ key, code, schema, all }: DeadLetterOptions): DeadLetterFilter {
  return { ...(key !== undefined && { key }), ...(code !== undefined && { code }), ...(schema !== undefined && { schemaId: number('schema', schema) }), ...(all && { all }) };
}

async function list({ letters, output, options }: Task): Promise<void> {
  const { letters: found, keys, facts } = await letters.list(options.key === undefined && options.code === undefined && options.schema === undefined ? { all: true } : filterOf(options));
  const failed = found.filter(({ code }) => code !== null);
  const lines = [...grouped(failed, ({ code, reason, schemaId }) => `${code}  ${withoutPlace(reason ?? '')}${schemaId === null ? '' : `  (schema ${schemaId})`}`)].flatMap(([reason, of]) => [
    `${output.paint(`${count(of.length)} keys`, 'bold')}  ${reason}`,
    `  ${of.slice(0, KEYS_SHOWN).map(({ key, topic, partition, offset }) => `${key} (${topic}[${partition}] offset ${offset})`).join(', ')}${of.length > KEYS_SHOWN ? ', ...' : ''}`,
  ]);
  output.print({ keys, facts, letters: found }, ...lines, keys === 0 ? 'no key is blocked' : `${count(keys)} keys are blocked, ${count(facts)} facts wait`);
}

async function get({ letters, output, options }: Task): Promise<void> {
  if (options.key === undefined) throw new FactlineError({ code: 'cli.key-missing', kind: 'invalid', message: 'Which key is not said.', advice: 'Pass --key <key>; list shows them.' });
  for (const read of await letters.read(options.key)) {
    const { letter, fact, unreadable, edited } = read;
    const shown = fact ? `${fact.name} ${JSON.stringify(fact.data)}` : (unreadable ?? 'a fact that this app does not select');
    output.print(read, `offset ${letter.offset}  ${letter.code ?? 'waits'}  ${shown}`, ...(letter.reason ? [`  ${letter.reason}`] : []), ...(edited ? [`  in its place: ${JSON.stringify(edited)}`] : []));
  }
}

async function requeue({ letters, output, options }: Task): Promise<number | void> {
  if (options.dryRun) {
    const { keys, facts } = await letters.list(filterOf(options));
    return output.print({ dryRun: true, keys, facts }, `would apply ${count(facts)} facts of ${count(keys)} keys`);
  }
  const care = { canary: number('canary', options.canary), stopAt: number('stop-at', options.stopAt), ...(options.rate !== undefined && { rate: number('rate', options.rate) }) };
  if (letters instanceof ReactionDeadLetters) return followRedrive(letters, await letters.requeue(filterOf(options), { ...care, by: options.by ?? userInfo().username }), output, options);
  const { signal, release } = cancellation();
  let [keys, facts, left] = [0, 0, 0];
  try {
    for await (const done of letters.requeue(filterOf(options), { abort: signal, ...care })) {
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

async function edit({ letters, output, options }: Task): Promise<void> {
  if (!(letters instanceof ReactionDeadLetters)) throw new FactlineError({ code: 'dead-letters.read-model', kind: 'refused', message: 'A read model is what its facts say: with a changed fact it would differ from its next rebuild.', advice: 'Correct the fold, or state a fact that corrects; or give the fact up.' });
  if (options.key === undefined) throw new FactlineError({ code: 'cli.key-missing', kind: 'invalid', message: 'Which key is not said.', advice: 'Pass --key <key>; list shows them.' });
  const change = { data: parsed(options.data!), ...(options.fact !== undefined && { fact: options.fact }) };
  const differences = await letters.edit({ key: options.key, offset: number('offset', options.offset) }, change, { reason: options.reason!, by: options.by! });
  output.print({ event: 'edited', differences }, ...differences.map(({ path, from, to }) => `${path}: ${JSON.stringify(from)} becomes ${JSON.stringify(to)}`), 'it is handled so when its key is requeued');
}

function parsed(file: string): unknown {
  try {
    return JSON.parse(readFileSync(file === '-' ? 0 : file, 'utf8'));
  } catch (error) {
    throw new FactlineError({ code: 'cli.data', kind: 'invalid', message: `--data ${file} cannot be read as JSON: ${(error as Error).message}`, advice: 'Give a file that holds the data of the fact, or - for standard input.', cause: error });
  }
}

async function purge({ letters, output, options }: Task): Promise<void> {
  const filter = { ...filterOf(options), ...(options.offset !== undefined && { offset: number('offset', options.offset) }) };
  const purged = await letters.purge(filter, { reason: options.reason!, by: options.by! });
  output.print(purged, `${count(purged.facts)} facts of ${count(purged.keys)} keys given up; what is left of these keys: factline dead-letters list`);
}

/** One fault at many places is one reason. */
function withoutPlace(reason: string): string {
  return reason.replaceAll(/\S+\[\d+\] offset \d+(: )?/g, '').replace(/ at $/, '').trim();
}
