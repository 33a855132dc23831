import { posix } from 'node:path';
import { FactlineError } from 'factline/kernel';
import { SETTINGS_FILE } from '../settings.js';
import { workingTree } from '../trees/tree.js';
import { Workspace } from './workspace.js';

const SETTINGS = `# What the next version of every fact must be compatible with. Under FULL_TRANSITIVE, the default, apps are deployed in any order
# and history is read from its beginning. Style rules have levels here too: factline contracts explain lists them.
compatibility: FULL_TRANSITIVE
`;

const TOPIC = `# All facts about one order. The app that owns the topic states them, and no other.
name: shop.order
owner: shop
keyField: orderId      # a text field of each fact: facts about one order keep their order
partitions: 6          # never changes later
kind: facts
`;

/** A field a line, so that a finding has a line of its own. */
const FACT = `{
  "type": "record",
  "name": "OrderPlaced",
  "namespace": "shop",
  "doc": "Somebody ordered.",
  "fields": [
    { "name": "meta", "doc": "Identity, order and origin of the fact. The type is built in.", "type": "factline.Meta" },
    { "name": "orderId", "doc": "The order, and the key of the topic.", "type": "string" },
    { "name": "totalCents", "doc": "What it costs, in hundredths of the currency.", "type": "long" },
    { "name": "currency", "doc": "ISO 4217 code.", "type": "string" },
    { "name": "note", "doc": "What the customer wrote.", "type": ["null", "string"], "default": null }
  ]
}
`;

const PRODUCER = `app: shop
owner: sales
produces:
  - shop.OrderPlaced
`;

const CONSUMER = `app: billing
owner: finance
consumes:
  - fact: shop.OrderPlaced
    select: [orderId, totalCents, currency]   # only what the app uses: a change of anything else does not concern it
    purpose: What to invoice.
`;

/** A first example: which files were written, and what to do with them. */
export interface Starter {
  /** Below the root, sorted. */
  readonly files: readonly string[];
  /** In order. */
  readonly next: readonly string[];
}

/**
 * Writes a small example of everything that a check of contracts needs: settings, a topic, a fact, the app that states it and one that reads three of its five fields.
 * Only where nothing is declared yet: it never touches a file that is there.
 * @throws FactlineError `declaration.exists` (conflict) naming what is declared; nothing was written then. Also as `Workspace.write` does.
 */
export async function writeStarter(root: string, { schemas, apps }: { schemas: string; apps: string }): Promise<Starter> {
  const there = await declared(root, schemas, apps);
  if (there.length > 0) throw exists(there, schemas, apps);
  const workspace = new Workspace(root);
  const fact = posix.join(schemas, 'shop/order/OrderPlaced.avsc');
  await workspace.create(posix.join(schemas, SETTINGS_FILE), SETTINGS);
  await workspace.create(posix.join(schemas, 'shop/order/topic.yaml'), TOPIC);
  await workspace.create(fact, FACT);
  await workspace.create(posix.join(apps, 'shop/contracts.yaml'), PRODUCER);
  await workspace.create(posix.join(apps, 'billing/contracts.yaml'), CONSUMER);
  await workspace.write();
  return {
    files: workspace.changes.map(({ file }) => file),
    next: [
      'commit these files: a check compares with a commit',
      `take the line of totalCents out of ${fact}`,
      'factline contracts check --against git:HEAD says whom that breaks; without --against it compares with origin/main',
    ],
  };
}

/** What a check would read. */
async function declared(root: string, schemas: string, apps: string): Promise<string[]> {
  const tree = workingTree(root);
  const settings = posix.join(schemas, SETTINGS_FILE);
  const ofSchemas = (await tree.list(schemas)).filter((file) => file === settings || /\.avsc$|(^|\/)topic\.yaml$/.test(file));
  const ofApps = (await tree.list(apps)).filter((file) => posix.basename(file) === 'contracts.yaml');
  return [...ofSchemas, ...ofApps];
}

/** As many as a person reads. */
const SHOWN = 3;

function exists(files: readonly string[], schemas: string, apps: string): FactlineError {
  const more = files.length > SHOWN ? ` and ${files.length - SHOWN} more` : '';
  return new FactlineError({
    code: 'declaration.exists',
    kind: 'conflict',
    message: `Declarations are here already: ${files.slice(0, SHOWN).join(', ')}${more}. Nothing was written.`,
    advice: `Go on with them: a folder of facts has a topic.yaml, each app has ${apps}/<app>/contracts.yaml, and factline contracts check judges both. To see an example: --root <an empty folder>.`,
    details: { files, schemas },
  });
}
