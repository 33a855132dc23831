import { type AvroJson, type AvroNode, definitionsIn, fullNameOf, isNamed } from '../avro-json.js';
import type { DeclaredFact, DeclaredSchemas } from '../schemas.js';
import { type Place, plain } from './finding.js';
import { type Positions, positionsOf } from './positions.js';

/** Where in the files of a tree something is written. What is not there any more is where it would be: at what encloses it. */
export class Places {
  readonly #positions = new Map<string, Positions>();

  constructor(
    private readonly schemas: DeclaredSchemas,
    private readonly schemasFolder: string,
    private readonly texts: ReadonlyMap<string, string>,
  ) {}

  /** @param path a JSON path such as `$.consumes[0].select[2]`; absent: the beginning of the file. */
  inFile(file: string, path = '$'): Place {
    return this.#at(file, path);
  }

  /** The same in a file below the folder of the schemas. */
  inSchemas(file: string, path = '$'): Place {
    return this.#at(`${this.schemasFolder}/${file}`, path);
  }

  /** @param field `address.zip`, `lines[].sku`; its own line, or that of the nearest field above it that is there. */
  ofField(factName: string, field: string): Place {
    const fact = this.schemas.facts.get(factName)!;
    const { file, path } = this.#walk(fact, plain(field).split('.').filter(Boolean));
    return this.#at(`${this.schemasFolder}/${file}`, path);
  }

  /** The file and path of the last step that is there. A step into a record that is defined elsewhere goes on in that file. */
  #walk(fact: DeclaredFact, steps: readonly string[]): { file: string; path: string } {
    const bundled = definitionsIn(fact.schema);
    let record: AvroNode | undefined = fact.schema;
    let definition = this.schemas.definitions.get(fact.factName);
    let found = { file: fact.file, path: definition?.path ?? '$' };
    for (const step of steps) {
      if (definition) found = { file: definition.file, path: `${definition.path}.fields` };
      const at: number = definition?.node.fields?.findIndex(({ name }) => name === step) ?? -1;
      const field = record?.fields?.find(({ name }) => name === step);
      if (!definition || at < 0 || !field) break;
      found = { file: definition.file, path: `${definition.path}.fields[${at}]` };
      record = recordIn(field.type, bundled);
      definition = record && this.schemas.definitions.get(fullNameOf(record, undefined)!);
    }
    return found;
  }

  #at(file: string, path: string): Place {
    let positions = this.#positions.get(file);
    if (!positions) this.#positions.set(file, (positions = positionsOf(this.texts.get(file) ?? '')));
    return { file, ...(positions.at(positions.pointerOf(path)) ?? { line: 1, column: 1 }) };
  }
}

/** The record that a field holds, through null unions, arrays and maps. */
function recordIn(schema: AvroJson, bundled: ReadonlyMap<string, AvroNode>): AvroNode | undefined {
  if (typeof schema === 'string') return recordNode(bundled.get(schema));
  if (Array.isArray(schema)) {
    const rest = schema.filter((branch) => branch !== 'null');
    return rest.length === 1 ? recordIn(rest[0]!, bundled) : undefined;
  }
  if (isNamed(schema)) return recordNode(schema);
  const inner = schema.items ?? schema.values ?? (typeof schema.type === 'object' ? schema.type : undefined);
  return inner === undefined ? undefined : recordIn(inner, bundled);
}

function recordNode(node: AvroNode | undefined): AvroNode | undefined {
  return node?.type === 'record' ? node : undefined;
}
