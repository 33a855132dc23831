import avro from 'avsc';
import { type RegistryHttp, misunderstood } from './registry-http.js';

/** One version of a subject, as a registry keeps it. */
export interface StoredSchema {
  readonly id: number;
  /** `AVRO`, `JSON`, `PROTOBUF`. */
  readonly type: string;
  /** As it was registered, or as the registry rewords it. */
  readonly text: string;
  /** Whether it needs the schemas of other subjects to be read. */
  readonly references: boolean;
}

/** What a registry answers of one schema. @param asked The id, where the answer does not repeat it. @throws RestFailure when it answers something else. */
export function storedSchema(body: unknown, asked?: number): StoredSchema {
  const { id = asked, schema, schemaType = 'AVRO' } = body as { id?: unknown; schema?: unknown; schemaType?: unknown };
  if (typeof id !== 'number' || typeof schema !== 'string') throw misunderstood(body);
  return { id, type: String(schemaType), text: schema, references: referencesIn(body).length > 0 };
}

/**
 * The Avro schema of an answer as JSON that needs no other, without documentation. What other subjects define for it is read first, each version once, however many refer to it.
 * @throws RestFailure; what avsc throws where there is no Avro schema.
 */
export async function selfContained(body: unknown, id: number, http: RegistryHttp): Promise<object> {
  const known: Record<string, avro.Type> = {};
  const read = new Set<string>();
  const typeOf = async (answer: unknown, asked?: number): Promise<avro.Type> => {
    for (const path of referencesIn(answer)) {
      if (read.has(path)) continue;
      read.add(path);
      await typeOf(await http.found(path));
    }
    return avro.Type.forSchema(JSON.parse(storedSchema(answer, asked).text) as never, { registry: known });
  };
  return (await typeOf(body, id)).schema({ exportAttrs: true }) as object;
}

export function versionPath(subject: string, version: number): string {
  return `/subjects/${encodeURIComponent(subject)}/versions/${version}`;
}

/** Where the versions lie to which an answer refers. */
function referencesIn(body: unknown): string[] {
  const { references } = body as { references?: unknown };
  if (!Array.isArray(references)) return [];
  return references.map((found: unknown) => {
    const { subject, version } = (found ?? {}) as { subject?: unknown; version?: unknown };
    if (typeof subject !== 'string' || typeof version !== 'number') throw misunderstood(body);
    return versionPath(subject, version);
  });
}
