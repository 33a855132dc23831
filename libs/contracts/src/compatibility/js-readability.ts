import { messageOf } from 'factline/kernel';
import type { Doubt } from './checker.js';
import type { Incompatibility } from './incompatibility.js';
import type { JsFault, JsFaultKind } from './js-fault.js';
import { hazardsOf } from './js-hazards.js';
import type { ParsedSchema } from './parse.js';
import type { Prepared } from './prepared.js';
import type { Side } from './schema-error.js';

/**
 * What avsc says when it refuses a schema. Its version is pinned. When it is to print a type that is not finished it fails itself ("reading 'map'"): unions being
 * known, that is a default of a type that contains itself.
 */
const REFUSALS: readonly (readonly [RegExp, JsFaultKind])[] = [
  [/^ambiguous unwrapped union/, 'union-ambiguous'],
  [/^incompatible field default|reading 'map'/, 'default-refused'],
  [/^undefined type name|^unknown type/, 'forward-reference'],
  [/^invalid (field )?name|^cannot rename primitive type|^(invalid|duplicate) .* symbol:/, 'name-refused'],
];

const MESSAGE_CHARACTERS = 300;

/** What the other verdict found out. */
interface Known extends Readonly<Record<Side, ParsedSchema>> {
  readonly incompatibilities: readonly Incompatibility[];
  readonly doubts: readonly Doubt[];
}

/** Whether avsc, set up as FactDecoder does it, reads what the writer writes: asked of avsc itself, besides what is known to fail only with values. */
export function jsFaults(reader: Prepared, writer: Prepared, known: Known): JsFault[] {
  const { doubts } = known;
  const faults = [...hazardsOf(known.reader, 'reader'), ...hazardsOf(known.writer, 'writer'), ...doubts.filter(({ kind }) => kind === 'bytes-as-string')];
  const settled = settledBy(known);
  if (settled) return [...faults, { kind: 'resolver-refused', path: settled.path, message: settled.message }];
  const readerType = attempt(() => reader.readingType, (message) => refusedSchema('reader', message));
  const writerType = attempt(() => writer.writtenType, (message) => refusedSchema('writer', message));
  if ('fault' in readerType && !faults.some(({ kind }) => kind === 'union-ambiguous')) faults.push(readerType.fault);
  if ('fault' in writerType) faults.push(writerType.fault);
  if ('fault' in readerType || 'fault' in writerType) return faults;
  const resolver = attempt(() => readerType.value.createResolver(writerType.value), refusedResolver);
  if (!('fault' in resolver)) return faults;
  const renamed = doubts.filter(({ kind }) => kind === 'namespace-changed');
  return [...faults, ...(renamed.length > 0 ? renamed : [resolver.fault])];
}

/**
 * What avsc refuses for the same reason as Java, so that it need not be asked: building its types takes ten times as long as everything else. Names are not among
 * it, nor unions, whose faults may be names: there avsc is more lenient in places.
 */
function settledBy({ incompatibilities, reader, writer }: Known): Incompatibility | undefined {
  if (reader.fallbacks.length > 0 || writer.fallbacks.length > 0) return undefined;
  return incompatibilities.find(({ kind }) => kind !== 'name-changed' && kind !== 'union-branch-removed');
}

function attempt<T>(build: () => T, refused: (message: string) => JsFault): { value: T } | { fault: JsFault } {
  try {
    return { value: build() };
  } catch (error) {
    return { fault: refused(messageOf(error).slice(0, MESSAGE_CHARACTERS)) };
  }
}

function refusedSchema(side: Side, message: string): JsFault {
  const kind = REFUSALS.find(([pattern]) => pattern.test(message))?.[1] ?? 'schema-refused';
  return { kind, path: '', message: `avsc refuses the ${side}'s schema: ${message}` };
}

function refusedResolver(message: string): JsFault {
  return { kind: 'resolver-refused', path: '', message: `avsc cannot read the writer's schema with the reader's: ${message}` };
}
