import { posix } from 'node:path';
import { FIELDS } from '../check/shop.spec.support.js';
import { catalogueTexts } from './catalogue.js';
import { STYLE } from './assets.js';
import { invented, shop, sourcesOf } from './sources.spec.support.js';

const HOSTILE = `</td><script>alert("1")</script> & 'more' <img src=x onerror=alert(1)>`;
const pagesIn = (texts: ReadonlyMap<string, string>) => [...texts].filter(([file]) => file.endsWith('.html'));
/** Elements that the generator writes. Nothing that schemas and contracts say may add one. */
const TAGS = 'a body caption code dd div dl dt form h1 h2 h3 head header html input label li link main meta nav p pre script span table tbody td th thead title tr ul wbr'.split(' ');

async function hostile(): Promise<ReadonlyMap<string, string>> {
  const fields = {
    ...FIELDS,
    status: { field: { type: { type: 'enum', name: 'Status', symbols: ['NEW'] }, doc: HOSTILE, unit: HOSTILE, 'confluent:tags': [HOSTILE] } },
    email: { field: { type: 'string', default: HOSTILE, deprecated: { effective: '2026-11-21', removal: '2027-02-01', alternative: HOSTILE, documentation: HOSTILE } } },
  };
  const files = shop(fields, { mailer: ['email'] });
  const evil = `app: "a&b <i> #1"\nowner: ${JSON.stringify(HOSTILE)}\nproduces: []\nconsumes:\n  - fact: shop.OrderPlaced\n    select: [email]\n    purpose: ${JSON.stringify(HOSTILE)}\n    grants: [${JSON.stringify(HOSTILE)}]\n`;
  const topic = `${files['schemas/shop/topic.yaml']}settings:\n  ${JSON.stringify(HOSTILE)}: ${JSON.stringify(HOSTILE)}\n`;
  const now = { ...files, 'apps/a&b <i> #1/contracts.yaml': evil, 'schemas/shop/topic.yaml': topic };
  return catalogueTexts(await sourcesOf(now, { '<prod>': shop() }), { name: 'lock', subjects: new Map([['shop.OrderPlaced', { versions: [{ version: 1, id: 1, schema: { type: 'record', name: 'OrderPlaced', namespace: 'shop', doc: HOSTILE, fields: [] } }] }]]) });
}

describe('pages', () => {
  it('take nothing that a schema or a contract says for HTML', async () => {
    const texts = await hostile();
    for (const [, text] of pagesIn(texts)) {
      const names = new Set([...text.matchAll(/<\/?([a-z0-9]+)/gi)].map(([, name]) => name!.toLowerCase()));
      expect([...names].filter((name) => !TAGS.includes(name))).toEqual([]);
      expect(text.match(/<script/g)).toHaveLength(1);
      expect(text).not.toMatch(/<[^>]* on\w+=/);
      expect(text).toContain(`content="default-src 'none'; style-src 'self'; script-src 'self'; base-uri 'none'; form-action 'none'"`);
    }
    const page = texts.get('facts/shop.OrderPlaced.html')!;
    expect(page).toContain('&lt;/td&gt;&lt;script&gt;alert(&quot;1&quot;)&lt;/script&gt; &amp; &#39;more&#39; &lt;img src=x onerror=alert(1)&gt;');
    expect(page).toContain('<a href="../apps/a%26b%20%3Ci%3E%20%231.html">a&amp;b &lt;i&gt; #1</a>');
  });

  it('say which topics have headers of CloudEvents', async () => {
    const files = shop();
    const pageOf = async (more: string) => catalogueTexts(await sourcesOf({ ...files, 'schemas/shop/topic.yaml': `${files['schemas/shop/topic.yaml']}${more}` })).get('facts/shop.OrderPlaced.html');
    expect(await pageOf('headers: cloudevents\n')).toContain('<dt>Headers</dt><dd>CloudEvents 1.0: <code>ce_*</code> and <code>content-type</code></dd>');
    expect(await pageOf('')).not.toContain('Headers');
  });

  it('link only to what is there, relatively', async () => {
    for (const texts of [await hostile(), catalogueTexts(await sourcesOf(invented({ facts: 30, apps: 4 })))]) {
      let links = 0;
      for (const [file, text] of pagesIn(texts)) {
        for (const [, , href] of text.matchAll(/ (href|src)="([^"]*)"/g)) {
          const [path, anchor] = href!.replaceAll('&amp;', '&').split('#');
          const target = path === '' ? file : posix.join(posix.dirname(file), decodeURIComponent(path!));
          expect([file, href, texts.has(target)]).toEqual([file, href, true]);
          if (anchor !== undefined) expect(texts.get(target)).toContain(` id="${anchor}"`);
          links += 1;
        }
      }
      expect(links).toBeGreaterThan(30);
    }
  });

  it('are tables with headings for rows and columns, under one title, with a way past the navigation', async () => {
    for (const [, text] of pagesIn(await hostile())) {
      expect(text.match(/<h1>/g)).toHaveLength(1);
      expect(text).toContain('<html lang="en">');
      expect(text).toContain('<a class="skip" href="#content">');
      for (const [table] of text.matchAll(/<table[^]*?<\/table>/g)) {
        expect(table).toMatch(/^<table role="table">\n<caption>[^<]+<\/caption>/);
        const columns = table.match(/<th role="columnheader" scope="col">/g)!.length;
        const rows = table.match(/<tr role="row"/g)!.length - 1;
        expect(table.match(/<th role="rowheader" scope="row">/g)).toHaveLength(rows);
        expect(table.match(/<td role="cell" data-column="[^"]+">/g)).toHaveLength(rows * (columns - 1));
      }
    }
  });

  it('have text that can be read: contrast of 4.5 and more, light and dark', () => {
    const [light, dark] = [...STYLE.matchAll(/--paper[^}]*/g)].map(([block]) => Object.fromEntries([...block.matchAll(/--([a-z-]+): (#\w{6})/g)].map(([, name, colour]) => [name!, colour!])));
    for (const colours of [light!, dark!]) {
      for (const [ink, paper] of [['ink', 'paper'], ['ink', 'shade'], ['quiet', 'paper'], ['quiet', 'shade'], ['link', 'paper'], ['link', 'shade'], ['link', 'mark-shade'], ['quiet', 'mark-shade'], ['ink', 'mark-shade'], ['mark', 'mark-shade'], ['tag', 'tag-shade'], ['place', 'place-shade']] as const) {
        expect([ink, paper, contrast(colours[ink]!, colours[paper]!) >= 4.5]).toEqual([ink, paper, true]);
      }
    }
    expect(contrast('#999999', '#ffffff')).toBeLessThan(4.5); // control
  });

  it('are the same for the same input, and change with a word', async () => {
    const texts = async (doc: string) => catalogueTexts(await sourcesOf(shop({ ...FIELDS, email: { field: { type: 'string', doc } } })));
    expect(await texts('Where to.')).toEqual(await texts('Where to.'));
    const [one, other] = [await texts('Where to.'), await texts('Where it goes.')];
    expect([...one].filter(([file, text]) => other.get(file) !== text).map(([file]) => file)).toEqual(['catalogue.json', 'facts/shop.OrderPlaced.html', 'apps/mailer.html', 'apps/mailer.asyncapi.json', 'apps/shop.asyncapi.json']);
  });

  it.each(['prod', 'constructor', 'toString', '__proto__'])('show an environment called %s, where nothing is deployed', async (name) => {
    const texts = catalogueTexts({ ...(await sourcesOf(shop())), environments: [{ name, landscapes: [], commits: new Map() }] });
    expect(texts.get('apps/mailer.html')).toContain(`not in ${name}`);
    expect(texts.get('facts/shop.OrderPlaced.html')).toContain('does not read it');
  });

  it('grow with what they show and not with its square', async () => {
    const size = async (facts: number) => [...catalogueTexts(await sourcesOf(invented({ facts, apps: 6 }))).values()].reduce((sum, text) => sum + text.length, 0);
    expect((await size(80)) / (await size(40))).toBeLessThan(2.1);
  });
});

/** WCAG 2.2, "relative luminance" and "contrast ratio". */
function contrast(one: string, other: string): number {
  const luminance = (colour: string) => {
    const [red, green, blue] = [1, 3, 5].map((at) => {
      const part = parseInt(colour.slice(at, at + 2), 16) / 255;
      return part <= 0.04045 ? part / 12.92 : ((part + 0.055) / 1.055) ** 2.4;
    });
    return 0.2126 * red! + 0.7152 * green! + 0.0722 * blue!;
  };
  const [dark, light] = [luminance(one), luminance(other)].toSorted((a, b) => a - b);
  return (light! + 0.05) / (dark! + 0.05);
}
