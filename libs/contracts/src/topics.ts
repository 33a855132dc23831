import { declarationError, suggestion } from './declaration-error.js';
import type { TopicDeclaration } from './facts.js';
import { onlyKeys, parseYaml } from './yaml.js';

const KINDS = ['facts', 'state', 'commands'];
const KNOWN = ['name', 'owner', 'keyField', 'partitions', 'kind', 'retention', 'settings', 'headers'];
const HEADERS = ['none', 'cloudevents'];

/** Reads a topic.yaml. `retention` says for people what `settings` say for the broker. @throws FactlineError `topic.invalid` with file and path. */
export function parseTopic(text: string, file: string): TopicDeclaration {
  const found = parseYaml(text, file);
  onlyKeys(found, KNOWN, { file, path: '$' }, 'topic.invalid');
  const expect = (key: string, valid: boolean, expectation: string): void => {
    if (!valid) throw declarationError('topic.invalid', { file, path: `$.${key}` }, `${key} must be ${expectation}.`, `A topic has name, owner (an app), keyField (a text field of each fact), partitions (a number) and kind (${KINDS.join(', ')}).`);
  };
  for (const key of ['name', 'owner', 'keyField']) expect(key, typeof found[key] === 'string' && found[key] !== '', 'text');
  expect('name', /^[a-zA-Z0-9._-]{1,249}$/.test(String(found.name)), 'a Kafka topic name');
  expect('partitions', Number.isInteger(found.partitions) && (found.partitions as number) > 0, 'a whole number of 1 or more');
  expect('kind', KINDS.includes(String(found.kind)), `one of ${KINDS.join(', ')}`);
  const settings = found.settings ?? {};
  expect('settings', typeof settings === 'object' && !Array.isArray(settings), 'broker settings by their Kafka names');
  return {
    name: String(found.name),
    owner: String(found.owner),
    keyField: String(found.keyField),
    partitions: found.partitions as number,
    kind: found.kind as TopicDeclaration['kind'],
    settings: Object.fromEntries(Object.entries(settings as object).map(([key, value]) => [key, String(value)])),
    ...headersOf(found['headers'], file),
  };
}

/** Nothing where there are none, so that whoever does not ask for them generates what they generated before. */
function headersOf(found: unknown, file: string): Pick<TopicDeclaration, 'headers'> {
  if (found === undefined || found === 'none') return {};
  if (found === 'cloudevents') return { headers: found };
  throw declarationError('topic.invalid', { file, path: '$.headers' }, `headers must be one of ${HEADERS.join(', ')}.`, suggestion(typeof found === 'string' ? found : '', HEADERS, 'Leave it out, or write cloudevents for consumers that look for ce_ headers.'));
}
