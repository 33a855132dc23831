/** An element: its attributes as they read, its child elements, and the text directly in it. */
export interface XmlElement {
  readonly name: string;
  readonly attributes: Readonly<Record<string, string>>;
  readonly children: XmlElement[];
  text: string;
}

const ENTITIES: Readonly<Record<string, string>> = { amp: '&', lt: '<', gt: '>', quot: '"', apos: "'" };
const TOKEN = /<\?xml version="1\.0" encoding="UTF-8"\?>\n|<\/([\w-]+)>|<([\w-]+)((?: [\w-]+="[^"<]*")*)(\/?)>|([^<]+)/y;
// eslint-disable-next-line no-control-regex -- they are what is looked for
const NOT_A_CHARACTER = /[\u0000-\u0008\u000b\u000c\u000e-\u001f\ufffe\uffff]|[\ud800-\udbff](?![\udc00-\udfff])|(?<![\ud800-\udbff])[\udc00-\udfff]/;

/** Reads a document, or throws where XML 1.0 is broken: characters, references, quotes, nesting, one root. No comments, sections or document types: we write none. */
export function readXml(document: string): XmlElement {
  if (NOT_A_CHARACTER.test(document)) throw new Error(`not a character of XML at ${document.search(NOT_A_CHARACTER)}`);
  const top: XmlElement = { name: '', attributes: {}, children: [], text: '' };
  const open = [top];
  TOKEN.lastIndex = 0;
  while (TOKEN.lastIndex < document.length) {
    const at = TOKEN.lastIndex;
    const match = TOKEN.exec(document);
    if (!match) throw new Error(`broken at ${at}: ${document.slice(at, at + 40)}`);
    const [, ended, started, attributes = '', empty, characters] = match;
    const inside = open.at(-1)!;
    if (ended && open.pop()!.name !== ended) throw new Error(`</${ended}> ends <${inside.name}>`);
    if (started) {
      const element = { name: started, attributes: read(attributes), children: [], text: '' };
      inside.children.push(element);
      if (!empty) open.push(element);
    }
    if (characters !== undefined) {
      if (characters.includes(']]>')) throw new Error(`]]> in text at ${at}`);
      inside.text += resolved(characters);
    }
  }
  const [root, ...more] = top.children;
  if (open.length !== 1 || !root || more.length > 0 || top.text.trim() !== '') throw new Error('not one root element that is closed');
  return root;
}

function read(attributes: string): Record<string, string> {
  const pairs = [...attributes.matchAll(/ ([\w-]+)="([^"]*)"/g)].map(([, name, value]) => [name!, resolved(value!.replaceAll(/[\t\n]/g, ' '))] as const);
  if (new Set(pairs.map(([name]) => name)).size < pairs.length) throw new Error(`an attribute twice in${attributes}`);
  return Object.fromEntries(pairs);
}

function resolved(text: string): string {
  return text.replaceAll('\r\n', '\n').replaceAll('\r', '\n').replaceAll(/&(?:#(\d+);|(\w+);)?/g, (reference, number?: string, name?: string) => {
    const character = number ? String.fromCodePoint(Number(number)) : name && ENTITIES[name];
    if (!character) throw new Error(`unknown reference ${reference}`);
    return character;
  });
}
