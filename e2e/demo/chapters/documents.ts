import { pdfOf } from '../../../apps/documents/src/pdf.spec.support.js';
import { DocumentsClient } from '../../support/documents-client.js';
import type { Mission } from '../../support/mission.js';
import { type Chapter, type Story, must } from '../story.js';

/** Some seconds of work, so that there is something to watch. */
const PAGES = 900;
const LINES = 40;

/** documents takes files in, tells how they go, and lets them be found; one that cannot be parsed is mended. */
export const documents: Chapter = {
  apps: ['documents'],
  tell: async (story, mission) => {
    const { url } = await mission.host.start('documents');
    const client = new DocumentsClient(url);
    await upload(story, client);
    await mend(story, mission, client);
  },
};

async function upload(story: Story, client: DocumentsClient): Promise<void> {
  await story.step('Upload a text and a PDF, and watch them go', async (say) => {
    const pages = Array.from({ length: PAGES }, (_, page) => [`Page ${page + 1}`, ...Array.from({ length: LINES }, (_line, line) => `In minute ${line} the committee ${page === 41 && line === 7 ? 'approved the observatory' : 'listened to what was said'}.`)].join('\n'));
    const report = await client.upload('report.pdf', pdfOf(pages), 'english');
    const letter = await client.upload('letter.txt', 'Dear committee,\n\nplease approve our observatory soon.', 'english');
    let last = '';
    const ended = await client.watch(report, ({ stage, progress: { share, text } }) => {
      const line = `report.pdf: ${stage}, ${Math.round(share * 100)} %${text === null ? '' : `, ${text}`}`;
      if (line !== last) say((last = line));
    });
    await client.watch(letter);
    const found = await client.search('approving observatories');
    for (const { name, excerpts } of found) say(`${name}, page ${excerpts[0]!.page}: ${excerpts[0]!.text.replaceAll('\n', ' ')}`);
    must(ended.state === 'indexed' && found.length === 2 && found.some(({ excerpts }) => excerpts[0]!.page === 42), 'the two are not found by their words');
    return `both are found by "approving observatories", the report on page 42 of ${PAGES}`;
  });
}

async function mend(story: Story, mission: Mission, client: DocumentsClient): Promise<void> {
  await story.step('Upload a text in an encoding that nobody knows, put another in its place, and requeue it', async (say) => {
    const id = await client.upload('notes.txt', Buffer.from('Grüße aus Köln', 'latin1'), 'german');
    const { state, problem } = await client.watch(id);
    must(state === 'stuck' && problem?.code === 'document.not-utf8', 'the text is not a dead letter');
    await mission.factline(['dead-letters', 'list', 'documents_work', '--app', 'documents'], { echo: true });
    const other = await client.upload('other.txt', 'Köln am Rhein', 'german');
    must((await client.watch(other)).state === 'indexed', 'another document does not go on meanwhile');
    await client.replace(id, 'Grüße aus Köln');
    say('another document goes on meanwhile; the same text in UTF-8 was put in its place');
    const { code } = await mission.factline(['dead-letters', 'requeue', 'documents_work', '--app', 'documents', '--key', `documents/${id}`], { echo: true });
    must(code === 0 && (await client.watch(id)).state === 'indexed', 'the requeue did not finish it');
    must((await client.search('Gruß')).some(({ documentId }) => documentId === id), 'the mended document is not found');
    return 'repaired, requeued, finished, and found';
  });
}
