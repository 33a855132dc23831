import type { Command } from 'commander';
import { type OutboxStatus, migrateOutbox, outboxDoctor, outboxStatus } from 'factline/outbox';
import { migrateProjections } from 'factline/projections';
import { Store } from 'factline/store';
import { type CommonOptions, exitWith } from './command.js';
import { appOf, databaseUrlOf, loadConfig } from './config.js';
import { EXIT_CODES, type Output, bytes, count, elapsed } from './output.js';

interface AppOptions extends CommonOptions {
  app: string;
}

/** `factline outbox ...` and `factline migrate`: what an app's database knows of its facts. */
export function outboxCommands(program: Command): void {
  const outbox = program.command('outbox').description('facts that an app has committed and the log has not seen yet');
  const withStore = (command: Command, description: string, run: (store: Store, output: Output, app: string) => Promise<number | void>) =>
    command
      .description(description)
      .requiredOption('--app <name>', 'as named in factline.config.json')
      .option('--root <folder>', 'where factline.config.json is (default: here)')
      .option('--json', 'print JSON')
      .action((options: AppOptions) =>
        exitWith(options, async (output) => {
          const config = await loadConfig(options.root);
          const store = new Store({ url: await databaseUrlOf(config, appOf(config, options.app)), applicationName: 'factline cli', connections: 2 });
          try {
            return await run(store, output, options.app);
          } finally {
            await store.close();
          }
        }),
      );
  withStore(outbox.command('status'), 'show what is pending, who publishes, and what was delivered last', printStatus);
  withStore(outbox.command('doctor'), 'find what holds the outbox up, and name the session', printFindings);
  withStore(program.command('migrate'), "create or update the library's tables in an app's database", printMigrations);
}

async function printStatus(store: Store, output: Output): Promise<void> {
  const status = await outboxStatus(store);
  output.print(status, ...statusLines(output, status));
}

function statusLines(output: Output, status: OutboxStatus): string[] {
  const { owner, epoch, owned, heartbeatAgeMs, pending, deliveredTotal, held, slots, rotations, delivered } = status;
  const title = (text: string) => output.paint(text.padEnd(11), 'bold');
  const relay = owned
    ? output.paint(`${owner ?? 'unknown'}, epoch ${epoch}, alive ${elapsed(heartbeatAgeMs ?? 0)} ago`, 'green')
    : output.paint(`none publishes${owner ? `; ${owner} did, ${elapsed(heartbeatAgeMs ?? 0)} ago` : ''}`, 'red');
  return [
    `${title('relay')} ${relay}`,
    `${title('pending')} about ${count(pending.rows)} facts, ${bytes(pending.bytes)}, oldest ${elapsed(pending.oldestAgeMs)}`,
    `${title('delivered')} ${count(deliveredTotal)} in all`,
    ...held.map(({ topic, partition, facts, since }) => `${title('held')} ${output.paint(`${topic} partition ${partition} takes none: ${count(facts)} facts set aside since ${since.toISOString()}`, 'red')}`),
    `${title('slots')} ${slots.map((slot) => `${slot.slot}${slot.written ? ' (written)' : ''} ${bytes(slot.bytes)}`).join('   ')}   rotated ${count(rotations)} times`,
    ...delivered.map(({ topic, key, sequence, statedAt }) => `${title('')} ${statedAt.toISOString()}  ${topic}  ${key}  #${sequence}`),
  ];
}

async function printFindings(store: Store, output: Output): Promise<number> {
  const findings = await outboxDoctor(store);
  const lines = findings.flatMap(({ severity, code, message, advice }) => [
    `${output.paint(severity.padEnd(9), severity === 'problem' ? 'red' : 'yellow')} ${message}  (${code})`,
    `next      ${advice}`,
  ]);
  output.print({ findings }, ...(lines.length > 0 ? lines : ['nothing found: the outbox is healthy']));
  return findings.length > 0 ? EXIT_CODES.findings : 0;
}

async function printMigrations(store: Store, output: Output, app: string): Promise<void> {
  const applied = [...(await migrateOutbox(store)), ...(await migrateProjections(store))];
  output.print({ app, applied }, applied.length > 0 ? `${app}: applied ${applied.join(', ')}` : `${app}: up to date`);
}
