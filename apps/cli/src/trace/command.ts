import { resolve } from 'node:path';
import type { Command } from 'commander';
import { SchemaRegistry, loadSchemas } from 'factline/contracts';
import { FactlineError, messageOf, milliseconds } from 'factline/kernel';
import { kafkaLog } from 'factline/log';
import { type CommonOptions, exitWith } from '../command.js';
import { type FactlineConfig, loadConfig, platformOf } from '../config.js';
import { type Output, count } from '../output.js';
import { factLines } from './print.js';
import { LogSearch } from './search.js';
import { type Unreachable, openSites } from './site.js';
import { Story, type StoryParts, type TracedFact } from './story.js';

interface TraceOptions extends CommonOptions {
  since: string;
}

const UUID = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/;

/** `factline trace <id>`: the path of one fact through every app, or of all facts of one correlation id. */
export function traceCommand(program: Command): void {
  program
    .command('trace <id>')
    .description('follow one fact, or all facts of a correlation id: committed, published, applied, and what they caused')
    .option('--since <duration>', 'how far back facts of a correlation id are looked for', '1h')
    .option('--root <folder>', 'where factline.config.json is (default: here)')
    .option('--json', 'print JSON')
    .action((id: string, options: TraceOptions) => exitWith(options, async (output) => trace(await loadConfig(options.root), id, milliseconds(options.since as '1h'), output)));
}

async function trace(config: FactlineConfig, id: string, sinceMs: number, output: Output): Promise<void> {
  const now = new Date();
  const { brokers, registryUrl } = await platformOf(config);
  const { topics } = await loadSchemas(resolve(config.root, config.schemas));
  const { sites, unreachable, close } = await openSites(config);
  const log = kafkaLog({ brokers, clientId: 'factline-trace' });
  try {
    const search = await openSearch(new LogSearch(log), [...topics.keys()], unreachable);
    const parts: StoryParts = { sites, search, topics, registry: new SchemaRegistry({ url: registryUrl }), now, unreachable };
    const facts = await tell(parts, id, new Date(now.getTime() - sinceMs));
    if (facts.length === 0) throw unknownId(id, parts, sinceMs);
    const searched = { records: search?.records ?? 0, complete: search?.complete ?? false };
    output.print({ facts, unreachable, searched }, ...facts.map((fact) => factLines(output, fact)), ...unreachable.map(({ what, reason }) => output.paint(`not asked: ${what}: ${reason}`, 'yellow')), ...(search && !search.complete ? [output.paint(`only ${count(search.records)} records of the log were searched: facts caused later are not told`, 'yellow')] : []));
  } finally {
    await log.close();
    await close();
  }
}

async function openSearch(search: LogSearch, topics: readonly string[], unreachable: Unreachable[]): Promise<LogSearch | undefined> {
  try {
    await search.open(topics);
    return search;
  } catch (error) {
    if (!(error instanceof FactlineError && error.kind === 'unavailable')) throw error;
    unreachable.push({ what: 'the log', reason: messageOf(error) });
    return undefined;
  }
}

/** Correlation ids may look like ids of facts: clients choose them. */
async function tell(parts: StoryParts, id: string, since: Date): Promise<TracedFact[]> {
  const fact = UUID.test(id.toLowerCase()) ? await new Story(parts).ofFact(id.toLowerCase()) : undefined;
  return fact ? [fact] : new Story(parts).ofCorrelation(id, since);
}

function unknownId(id: string, { sites, search, topics, unreachable }: StoryParts, sinceMs: number): FactlineError {
  const asked = [...sites.map(({ app }) => `the outbox of ${app}`), ...(search ? [...topics.keys()].map((topic) => `the topic ${topic}`) : [])].join(', ') || 'nothing';
  const details = { asked, unreachable, sinceMs, complete: search?.complete ?? false };
  if (unreachable.length > 0 || !search?.complete) {
    return new FactlineError({ code: 'trace.incomplete', kind: 'unavailable', message: `'${id}' was not found, and not everything could be asked: ${unreachable.map(({ what, reason }) => `${what} (${reason})`).join(', ') || 'the log holds more than is searched'}.`, advice: 'Ask again when it answers, or give a shorter --since.', details });
  }
  return new FactlineError({ code: 'trace.unknown', kind: 'not-found', message: `No fact has the id '${id}', and none of the last ${sinceMs / 1_000} s the correlation id.`, advice: `Looked in ${asked}. Is it older? Give --since 24h.`, details });
}
