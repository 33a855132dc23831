import { type FileTree, normalized } from '../trees/tree.js';

export type Files = Record<string, string>;
export type Fields = Record<string, unknown>;

export const FOLDERS = { schemas: 'schemas', apps: 'apps' };

export function tree(name: string, files: Files): FileTree {
  return {
    name,
    list: async (folder) => Object.keys(files).filter((file) => normalized(folder) === '' || file.startsWith(`${normalized(folder)}/`)).toSorted(),
    read: async (file) => files[file]!,
  };
}

export const money = { type: 'record', name: 'Money', fields: [{ name: 'cents', type: 'long' }, { name: 'currency', type: 'string' }] };
export const status = { type: 'enum', name: 'Status', symbols: ['NEW', 'PAID'] };
export const FIELDS: Fields = {
  orderId: 'string',
  email: 'string',
  status,
  total: money,
  lines: { type: 'array', items: { type: 'record', name: 'Line', fields: [{ name: 'sku', type: 'string' }, { name: 'quantity', type: 'int' }] } },
  note: ['null', 'string'],
};

/** One fact, `shop.OrderPlaced`, a field a line. */
export function schema(fields: Fields): string {
  const lines = Object.entries(fields).map(([name, type]) => `    ${JSON.stringify(typeof type === 'object' && type !== null && 'field' in type ? { name, ...(type.field as object) } : { name, type })}`);
  return `{\n  "type": "record", "name": "OrderPlaced", "namespace": "shop", "fields": [\n    {"name": "meta", "type": "factline.Meta"},\n${lines.join(',\n')}\n  ]\n}\n`;
}

function contract(app: string, select: readonly string[] | '*'): string {
  const fields = select === '*' ? '    select: "*"\n    reason: an archive' : `    select:\n${select.map((field) => `      - ${field}`).join('\n')}`;
  return `app: ${app}\nowner: people\nproduces: []\nconsumes:\n  - fact: shop.OrderPlaced\n${fields}\n    purpose: testing\n`;
}

export const APPS: Record<string, readonly string[] | '*'> = { mailer: ['orderId', 'email'], board: ['orderId', 'status'], billing: ['total.cents'], stock: ['lines.sku', 'lines.quantity'] };

export function files(fields: Fields = FIELDS, apps: Record<string, readonly string[] | '*'> = APPS, extra: Files = {}): Files {
  return {
    'schemas/shop/topic.yaml': 'name: shop.order\nowner: shop\nkeyField: orderId\npartitions: 6\nkind: facts\n',
    'schemas/shop/OrderPlaced.avsc': schema(fields),
    ...Object.fromEntries(Object.entries(apps).map(([app, select]) => [`apps/${app}/contracts.yaml`, contract(app, select)])),
    ...extra,
  };
}
