import type { Command } from 'commander';
import { type TopicDeclaration } from 'factline/contracts';
import { FactlineError, type Logger, pause } from 'factline/kernel';
import { kafkaLog } from 'factline/log';
import { Relay, migrateOutbox, watermarkTopic } from 'factline/outbox';
import { Store } from 'factline/store';
import { cancellation, type CommonOptions, exitWith } from './command.js';
import { type AppDeclaration, type FactlineConfig, appOf, connectionsOf, loadConfig, moduleUrl } from './config.js';
import { type Output, count, elapsed } from './output.js';

/** How often the standalone relay says what it does. */
const REPORT_INTERVAL = 5_000;

/** `factline relay --app hr`: publishes an app's outbox from a process of its own; the app then runs with its relay switched off, or both stand by for each other. */
export function relayCommand(program: Command): void {
  program
    .command('relay')
    .description("publish an app's outbox from this process, until stopped")
    .requiredOption('--app <name>', 'as named in factline.config.json')
    .option('--root <folder>', 'where factline.config.json is (default: here)')
    .option('--json', 'print JSON lines')
    .action((options: CommonOptions & { app: string }) =>
      exitWith(options, async (output) => {
        const config = await loadConfig(options.root);
        await runRelay(config, options.app, output);
      }),
    );
}

async function runRelay(config: FactlineConfig, app: string, output: Output): Promise<void> {
  const declaration = appOf(config, app);
  const topics = await topicsOf(config, app, declaration);
  const { databaseUrl, kafka } = await connectionsOf(config, declaration);
  const store = new Store({ url: databaseUrl, applicationName: `factline relay ${app}`, connections: 3 });
  const log = kafkaLog({ ...kafka, clientId: `factline-relay-${app}` });
  const { signal, release } = cancellation();
  const relay = new Relay({ store, log, app, topics, logger: loggerTo(output) });
  try {
    await migrateOutbox(store);
    await log.createTopics([watermarkTopic, ...topics.map(({ name, partitions, settings }) => ({ name, partitions, settings }))]);
    relay.start();
    while (!signal.aborted) {
      const { state, epoch, publishedTotal, pendingEstimate, oldestUnsentAgeMs, failure } = relay.status();
      const trouble = failure ? `   ${failure.message}` : '';
      output.print(
        { event: 'relay', app, ...relay.status() },
        `${state.padEnd(9)} epoch ${epoch ?? '-'}   published ${count(publishedTotal)}   pending ${count(pendingEstimate)}   oldest ${elapsed(oldestUnsentAgeMs)}${trouble}`,
      );
      await pause(REPORT_INTERVAL, signal);
    }
  } finally {
    release();
    await relay.stop();
    await log.close();
    await store.close();
  }
}

async function topicsOf(config: FactlineConfig, app: string, { facts }: AppDeclaration): Promise<TopicDeclaration[]> {
  if (!facts) {
    throw new FactlineError({
      code: 'cli.no-facts',
      kind: 'configuration',
      message: `The app '${app}' declares no facts, so there is nothing to publish.`,
      advice: `Set apps.${app}.facts in factline.config.json to its generated contracts module.`,
    });
  }
  const exported = Object.values((await import(moduleUrl(config, facts))) as Record<string, { topic?: TopicDeclaration | string }>);
  const topics = exported.flatMap((type) => (typeof type?.topic === 'object' ? [type.topic] : []));
  return [...new Map(topics.map((topic) => [topic.name, topic])).values()];
}

function loggerTo(output: Output): Logger {
  const write = (level: string) => (fields: object, message: string) => output.print({ event: 'log', level, message, ...fields }, `${level.padEnd(9)} ${message}  ${JSON.stringify(fields)}`);
  return { debug: () => undefined, info: write('info'), warn: write('warn'), error: write('error') };
}
