import { type Landscape, readLandscape } from '../check/landscape.js';
import type { FileTree } from '../trees/tree.js';
import { META_SCHEMA } from '../meta.js';

const ADDRESS = { type: 'record', name: 'Address', namespace: 'x', fields: [{ name: 'city', type: 'string' }, { name: 'street', type: 'string' }] };
const FIELDS = [
  { name: 'personId', type: 'string' },
  { name: 'name', type: 'string' },
  { name: 'email', type: 'string' },
  { name: 'salary', type: 'long' },
  { name: 'address', type: ['null', ADDRESS], default: null },
  { name: 'lines', type: { type: 'array', items: { type: 'record', name: 'Line', namespace: 'x', fields: [{ name: 'sku', type: 'string' }, { name: 'note', type: 'string' }] } } },
];
const TOPIC = 'name: x.person\nowner: hr\nkeyField: personId\npartitions: 1\nkind: facts\n';

/** Everything that is selected in these specs. */
export const SELECTED = ['personId', 'name', 'email', 'salary', 'address.city', 'address.street', 'lines.sku'];

const FOLDERS = { schemas: 'schemas', apps: 'apps' };

/** One fact, an app that selects it, and its files, all in memory. */
export function repository(files: Readonly<Record<string, string>>, contract = contractOf(SELECTED)): FileTree {
  const fact = (name: string) => JSON.stringify({ type: 'record', name, namespace: 'x', fields: [{ name: 'meta', type: 'factline.Meta' }, ...FIELDS] });
  const all = new Map(
    Object.entries({
      'schemas/factline/Meta.avsc': JSON.stringify(META_SCHEMA),
      'schemas/x/person/topic.yaml': TOPIC,
      'schemas/x/person/PersonHired.avsc': fact('PersonHired'),
      'apps/pay/contracts.yaml': contract,
      ...files,
    }),
  );
  return {
    name: 'memory',
    list: async (folder) => [...all.keys()].filter((file) => file.startsWith(`${folder}/`)).toSorted(),
    read: async (file) => all.get(file)!,
  };
}

export function contractOf(select: readonly string[]): string {
  return `app: pay\nowner: finance\nproduces: []\nconsumes:\n  - fact: x.PersonHired\n    select: [${select.join(', ')}]\n    purpose: to pay\n`;
}

export function landscapeOf(tree: FileTree): Promise<Landscape> {
  return readLandscape(tree, FOLDERS);
}
