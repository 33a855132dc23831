import { posix } from 'node:path';
import type { FileTree } from './trees/tree.js';
import { type Location, declarationError } from './declaration-error.js';
import { onlyKeys, parseYaml } from './yaml.js';

/** An entry as it is written. `path` is its JSON path in the file: `$.consumes[0]`; the name of the fact stands at `$.consumes[0].fact`. */
export interface RawConsumption {
  readonly fact: string;
  readonly select: readonly { readonly field: string; readonly path: string }[] | '*';
  readonly purpose: string;
  /** Why all fields are selected, of `*`. */
  readonly reason?: string;
  /** Tags that the app may read for this purpose, those below them included: `PII` is also `PII.email`. */
  readonly grants: readonly { readonly tag: string; readonly path: string }[];
  readonly path: string;
}

/** A contract as it is written, not compared with any schema: its facts and fields may be gone. */
export interface RawContract {
  /** Below the root of the tree. */
  readonly file: string;
  readonly app: string;
  readonly owner: string;
  readonly produces: readonly { readonly name: string; readonly path: string }[];
  readonly consumes: readonly RawConsumption[];
}

/** Every apps/<app>/contracts.yaml of a tree, sorted by file, as it is written. @throws FactlineError as `parseRaw` does. */
export async function declaredContracts(tree: FileTree, appsFolder: string): Promise<RawContract[]> {
  const files = (await tree.list(appsFolder)).filter((file) => /^[^/]+\/contracts\.yaml$/.test(posix.relative(appsFolder, file)));
  const texts = await Promise.all(files.map((file) => tree.read(file)));
  return files.map((file, at) => {
    const raw = parseRaw(texts[at]!, file);
    const app = posix.basename(posix.dirname(file));
    if (raw.app !== app) throw declarationError('contract.invalid', { file, path: '$.app' }, `'${raw.app}' is not the folder it lies in.`, `Write app: ${app}.`);
    return raw;
  });
}

/** The format of the file, read in this one place. @throws FactlineError `declaration.unreadable`, `contract.invalid`, `contract.duplicate`, `contract.wildcard`. */
export function parseRaw(text: string, file: string): RawContract {
  const found = parseYaml(text, file);
  onlyKeys(found, ['app', 'owner', 'produces', 'consumes'], { file, path: '$' }, 'contract.invalid');
  const app = asText(found.app, file, '$.app');
  const owner = asText(found.owner, file, '$.owner');
  const produces = asList(found.produces, file, '$.produces').map((entry, at) => ({ name: asText(entry, file, `$.produces[${at}]`), path: `$.produces[${at}]` }));
  refuseDuplicates(produces, file, 'Keep one entry per fact.');
  const consumes = asList(found.consumes, file, '$.consumes').map((entry, at) => rawConsumption(entry, { file, path: `$.consumes[${at}]` }));
  refuseDuplicates(consumes.map(({ fact, path }) => ({ name: fact, path })), file, 'Keep one entry per fact.');
  return { file, app, owner, produces, consumes };
}

function rawConsumption(entry: unknown, at: Location): RawConsumption {
  if (typeof entry !== 'object' || entry === null || Array.isArray(entry)) throw wrong(at, 'must hold fact, select and purpose');
  const declared = entry as Record<string, unknown>;
  onlyKeys(declared, ['fact', 'select', 'purpose', 'reason', 'grants'], at, 'contract.invalid');
  const fact = asText(declared.fact, at.file, `${at.path}.fact`);
  const purpose = asText(declared.purpose, at.file, `${at.path}.purpose`);
  const select = rawSelection(declared, fact, { file: at.file, path: `${at.path}.select` });
  const grants = asList(declared.grants, at.file, `${at.path}.grants`).map((entry, index) => ({ name: asText(entry, at.file, `${at.path}.grants[${index}]`), path: `${at.path}.grants[${index}]` }));
  refuseDuplicates(grants, at.file, 'Grant each tag once.');
  return { fact, select, purpose, ...(select === '*' && { reason: String(declared.reason) }), grants: grants.map(({ name, path }) => ({ tag: name, path })), path: at.path };
}

function rawSelection(declared: Record<string, unknown>, fact: string, at: Location): RawConsumption['select'] {
  if (declared.select !== '*') {
    const select = asList(declared.select, at.file, at.path).map((entry, index) => ({ field: asText(entry, at.file, `${at.path}[${index}]`), path: `${at.path}[${index}]` }));
    if (select.length === 0) throw wrong(at, 'must name at least one field');
    if (!select.some(({ field }) => field === '*')) return select;
  }
  if (typeof declared.reason !== 'string' || declared.reason.trim() === '') {
    throw declarationError('contract.wildcard', at, `'*' selects every field of ${fact}, personal data included.`, 'Name the fields that are used, or add a reason: why all of them are needed.', { factName: fact });
  }
  return '*';
}

function refuseDuplicates(entries: readonly { name: string; path: string }[], file: string, advice: string): void {
  const seen = new Set<string>();
  for (const { name, path } of entries) {
    if (seen.has(name)) throw declarationError('contract.duplicate', { file, path }, `${name} is listed twice.`, advice, { name });
    seen.add(name);
  }
}

function asText(value: unknown, file: string, path: string): string {
  if (typeof value !== 'string' || value.trim() === '') throw wrong({ file, path }, 'must be text');
  return value;
}

function asList(value: unknown, file: string, path: string): unknown[] {
  if (value === undefined || value === null) return [];
  if (!Array.isArray(value)) throw wrong({ file, path }, 'must be a list');
  return value;
}

function wrong(at: Location, expectation: string): Error {
  return declarationError('contract.invalid', at, `it ${expectation}.`, 'Each contract holds app, owner, produces: [names] and consumes: [{fact, select, purpose, grants}].');
}
