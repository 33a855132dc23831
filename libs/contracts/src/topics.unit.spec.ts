import { generateContracts } from './generate.js';
import { parseTopic } from './topics.js';
import { shop, sourcesOf } from './catalogue/sources.spec.support.js';

const TOPIC = 'name: shop.order\nowner: shop\nkeyField: orderId\npartitions: 6\nkind: facts\n';
const parsed = (more: string) => parseTopic(`${TOPIC}${more}`, 'topic.yaml');

describe('the headers of a topic', () => {
  it('are none unless it asks for them, and then nothing is said of them', () => {
    expect(parsed('headers: cloudevents\n').headers).toBe('cloudevents');
    for (const none of ['', 'headers: none\n']) expect(parsed(none)).not.toHaveProperty('headers');
  });

  it.each([
    ['cloudevent', "Did you mean 'cloudevents'?"],
    ['CloudEvents', "Did you mean 'cloudevents'?"],
    ['[cloudevents]', 'Leave it out, or write cloudevents for consumers that look for ce_ headers.'],
    ['', 'Leave it out, or write cloudevents for consumers that look for ce_ headers.'],
    ['amqp-properties', 'Leave it out, or write cloudevents for consumers that look for ce_ headers.'],
  ])('%s are refused', (word, advice) => {
    expect(() => parsed(`headers: ${word}\n`)).toThrow(expect.objectContaining({ code: 'topic.invalid', details: { file: 'topic.yaml', path: '$.headers' }, advice }));
  });

  it('are in generated code when it asks for them, and a line of what was there before otherwise', async () => {
    const generated = async (more: string) => generateContracts((await sourcesOf(shop(undefined, {}, { 'schemas/shop/topic.yaml': `${TOPIC}${more}` }))).contracts[0]!);
    const [plain, asked] = [await generated(''), await generated('headers: cloudevents\n')];
    expect(plain).not.toContain('headers');
    expect(asked.replace(/,\s+"headers": "cloudevents"/, '').replaceAll(/\s+/g, ' ')).toBe(plain.replaceAll(/\s+/g, ' '));
    expect(asked).toContain('"headers": "cloudevents"');
  });
});
