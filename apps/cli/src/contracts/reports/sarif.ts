import { createHash } from 'node:crypto';
import { type ConsumerVerdict, type Finding, RULES } from 'factline/contracts/check';
import { count } from '../../output.js';
import { version } from '../../version.js';
import { type Report, acceptance, affectedBy, gravestFirst, reduction, selectedAt, subjectOf } from './telling.js';

/** Of a run GitHub shows 5,000 results and of a result 100 locations (its documentation, "SARIF results exceed one or more limits"). */
const RESULTS = 5_000;
const RELATED_LOCATIONS = 100;

const LEVELS = { error: 'error', warning: 'warning', info: 'note' } as const;
const PROBLEMS = { error: 'error', warning: 'warning', info: 'recommendation' } as const;
const RULE_IDS = Object.keys(RULES);

/** SARIF 2.1.0 (OASIS), one run; the same findings give the same bytes. */
export const sarif: Report = (output, result, against) => {
  const { findings } = result;
  const shown = gravestFirst(findings).slice(0, RESULTS);
  const left = findings.length - shown.length;
  const leftOut = `${count(left)} more findings are not in this report; factline contracts check tells all of them.`;
  const results = resultsOf(shown);
  if (left > 0) results.at(-1)!.message.text += ` ${leftOut}`;
  const notifications = [reduction(result), left > 0 ? leftOut : ''].filter(Boolean).map((text) => ({ level: 'warning', message: { text } }));
  const run = {
    tool: { driver: { name: 'factline', semanticVersion: version, rules: RULE_IDS.map((id) => rule(id as Finding['rule'])) } },
    automationDetails: { id: 'factline-contracts/' },
    invocations: [{ executionSuccessful: true, ...(notifications.length > 0 && { toolExecutionNotifications: notifications }) }],
    originalUriBaseIds: { SRCROOT: { description: { text: 'The folder that was checked: the root of the repository, or --root.' } } },
    columnKind: 'utf16CodeUnits',
    results,
    properties: { against },
  };
  const log = { $schema: 'https://json.schemastore.org/sarif-2.1.0.json', version: '2.1.0', runs: [run] };
  output.print(log, JSON.stringify(log, undefined, 2));
};

function rule(id: Finding['rule']) {
  const { severity, says, why, before, after, instead } = RULES[id];
  const parts = ([['Before', before], ['After', after]] as const).filter(([, example]) => example);
  const more = `factline contracts explain ${id}`;
  return {
    id,
    shortDescription: { text: says },
    fullDescription: { text: `${says} ${why}` },
    help: {
      text: [why, ...parts.map(([name, example]) => `${name}: ${example}`), instead && `Instead: ${instead}`, more].filter(Boolean).join('\n'),
      markdown: [why, ...parts.map(([name, example]) => `${name}:\n\n    ${example.replaceAll('\n', '\n    ')}`), instead && `**Instead:** ${instead}`, `\`${more}\``].filter(Boolean).join('\n\n'),
    },
    defaultConfiguration: { level: LEVELS[severity] },
    properties: { tags: ['contracts'], precision: 'very-high', 'problem.severity': PROBLEMS[severity] },
  };
}

function resultsOf(findings: readonly Finding[]) {
  const seen = new Map<string, number>();
  return findings.map((finding) => {
    const print = fingerprint(finding);
    const ordinal = (seen.get(print) ?? 0) + 1;
    seen.set(print, ordinal);
    const affected = affectedBy(finding);
    return {
      ruleId: finding.rule,
      ruleIndex: RULE_IDS.indexOf(finding.rule),
      level: LEVELS[finding.accepted ? 'info' : finding.severity], // GitHub reads no suppressions, and fails a pull request for errors
      message: { text: saidOf(finding, affected) },
      locations: [{ physicalLocation: located(finding.place) }],
      relatedLocations: affected.slice(0, RELATED_LOCATIONS).map(relatedLocation),
      ...(finding.accepted && { suppressions: [{ kind: 'external', status: 'accepted', justification: acceptance(finding) }] }),
      // GitHub tells alerts apart by the first only, and made from the text of a line it would take two fields removed from one record for one alert.
      partialFingerprints: { primaryLocationLineHash: `${print}:${ordinal}`, 'factlineFinding/v1': `${print}:${ordinal}` },
    };
  });
}

/** What a finding is about, wherever it stands in the file: lines move. */
function fingerprint({ rule: id, fact, field, place }: Finding): string {
  return createHash('sha256').update(JSON.stringify([id, fact, field, place.file])).digest('hex').slice(0, 32);
}

const VERDICTS = { BROKEN: 'breaks', DEGRADED: 'degrades' } as const;

/** The first sentence names the apps, since it is all that is shown where space is short. Braces stay as they are: without arguments there are no placeholders. */
function saidOf(finding: Finding, affected: readonly ConsumerVerdict[]): string {
  const linked = affected.slice(0, RELATED_LOCATIONS).map(({ app, verdict }, index) => ({ verdict, link: `[${app.replaceAll(/[\\[\]]/g, String.raw`\$&`)}](${index + 1})` }));
  const who = (['BROKEN', 'DEGRADED'] as const).flatMap((wanted) => {
    const links = linked.filter(({ verdict }) => verdict === wanted).map(({ link }) => link);
    return links.length === 0 ? [] : [`${VERDICTS[wanted]} ${links.join(', ')}`];
  });
  if (affected.length > linked.length) who.push(`hits ${count(affected.length - linked.length)} more apps`);
  const what = `${withoutLinks(subjectOf(finding))}${who.length > 0 ? ` ${who.join(' and ')}` : ''}: ${withoutLinks(finding.message)}`;
  const against = finding.against.length > 0 ? `Against ${withoutLinks(finding.against.join(', '))}.` : '';
  return [what.endsWith('.') ? what : `${what}.`, against, withoutLinks(finding.advice)].filter(Boolean).join(' ');
}

/** `[text](1)` in a message is a link to a location ("Messages with embedded links"); here only apps are. */
function withoutLinks(text: string): string {
  return text.replaceAll(/\[(?=[^\]]*\]\()/g, String.raw`\[`);
}

/** Where an app selects the field. Lines of another commit are only said: in the files at hand they are other lines. */
function relatedLocation(consumer: ConsumerVerdict, index: number) {
  const { app, place, tree } = consumer;
  const physicalLocation = tree ? { artifactLocation: artifact(place.file) } : located(place);
  return { id: index + 1, message: { text: `${app} selects it at ${selectedAt(consumer)}` }, physicalLocation };
}

function located({ file, line, column }: Finding['place']) {
  return { artifactLocation: artifact(file), region: { startLine: line, startColumn: column } };
}

function artifact(file: string) {
  return { uri: file.split('/').map(encodeURIComponent).join('/'), uriBaseId: 'SRCROOT' };
}
