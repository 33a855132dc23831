import { posix } from 'node:path';
import { FactFields } from '../fact-fields.js';
import type { DeclaredSchemas } from '../schemas.js';
import { type Place, plain } from './finding.js';
import { type Positions, positionsOf } from './positions.js';

/** Where in the files of a tree something is written. What is not there any more is where it would be: at what encloses it. */
export class Places {
  readonly #positions = new Map<string, Positions>();
  readonly #fields = new Map<string, FactFields>();

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
    return this.#at(posix.join(this.schemasFolder, file), path);
  }

  /** @param field `address.zip`, `lines[].sku`; its own line, or that of the nearest field above it that is there. */
  ofField(factName: string, field: string): Place {
    const { file, jsonPath } = this.#fieldsOf(factName).writtenAt(plain(field));
    return this.inSchemas(file, jsonPath);
  }

  #fieldsOf(factName: string): FactFields {
    let fields = this.#fields.get(factName);
    if (!fields) this.#fields.set(factName, (fields = new FactFields(this.schemas, this.schemas.facts.get(factName)!)));
    return fields;
  }

  #at(file: string, path: string): Place {
    let positions = this.#positions.get(file);
    if (!positions) this.#positions.set(file, (positions = positionsOf(this.texts.get(file) ?? '')));
    return { file, ...(positions.at(positions.pointerOf(path)) ?? { line: 1, column: 1 }) };
  }
}
