import { type Mission, startMission } from '../support/mission.js';
import { documents } from './chapters/documents.js';
import { giftCards } from './chapters/gift-cards.js';
import { notifications } from './chapters/notifications.js';
import { payroll } from './chapters/payroll.js';
import { recommendations } from './chapters/recommendations.js';
import { reporting } from './chapters/reporting.js';
import { risk } from './chapters/risk.js';
import { shop } from './chapters/shop.js';
import { ticketing } from './chapters/ticketing.js';
import { timesheets } from './chapters/timesheets.js';
import { type Chapter, Story } from './story.js';

/** In the order in which they are told; `npm run demo` tells the first, `-- --all` every one. */
const CHAPTERS: readonly Chapter[] = [payroll, giftCards, timesheets, shop, reporting, risk, recommendations, notifications, ticketing, documents];

async function main(): Promise<void> {
  const chapters = process.argv.includes('--all') ? CHAPTERS : CHAPTERS.slice(0, 1);
  const story = new Story();
  let mission: Mission | undefined;
  const interrupted = () => void mission?.close().finally(() => process.exit(130));
  process.once('SIGINT', interrupted).once('SIGTERM', interrupted);
  try {
    await story.step('Start real Kafka, a schema registry and Postgres', async () => {
      mission = await startMission([...new Set(chapters.flatMap(({ apps }) => apps))], process.stdout);
      const { kafka, registryUrl, source } = mission.stack;
      return `Kafka at ${kafka.join(', ')}, registry at ${registryUrl}, from ${source}`;
    });
    for (const chapter of chapters) {
      await chapter.tell(story, mission!);
      await mission!.host.stopAll();
    }
    story.summary(nextSteps());
  } finally {
    process.off('SIGINT', interrupted).off('SIGTERM', interrupted);
    await mission?.close();
  }
}

function nextSteps(): string[] {
  return [
    'npm run dev                                             everything keeps running until Ctrl-C; it prints the addresses',
    'curl -s http://127.0.0.1:<hr>/employees?limit=3          hr, and its interface at /docs',
    'curl -si http://127.0.0.1:<payroll>/payees?limit=3       payroll; see the Factline-As-Of header',
    'npx factline outbox status --app hr                      who publishes, what waits',
    'npx factline outbox doctor --app hr                      what holds it up',
    'npx factline replay run payees --app payroll --dry-run   what a rebuild would read, and how long it takes',
    'npx factline replay status payees --app payroll          generations, and a rebuild that runs',
  ];
}

await main();
