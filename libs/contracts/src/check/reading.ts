import { FactlineError } from 'factline/kernel';
import type { AvroNode } from '../avro-json.js';
import { checkCompatibility } from '../compatibility/compatibility.js';
import type { RuleId } from './rules.js';

/** Why a reader cannot read what a writer wrote. */
export interface ReadingFault {
  readonly rule: RuleId;
  readonly path: string;
  readonly message: string;
  readonly readerType: string;
}

/** All of them: as registries decide it, and where they would accept it, as the library that reads here does. A schema that Avro for Java refuses cannot be read either. */
export function readingFaults(reader: AvroNode, writer: AvroNode): ReadingFault[] {
  try {
    const { compatible, incompatibilities, js } = checkCompatibility(reader, writer);
    if (!compatible) return incompatibilities.map(({ kind, path, message, readerType }) => ({ rule: kind, path, message, readerType }));
    return js.faults.map(({ path, message }) => ({ rule: 'runtime-unreadable', path, message, readerType: '' }));
  } catch (error) {
    if (!(error instanceof FactlineError) || !error.code.startsWith('schema.')) throw error;
    return [{ rule: 'schema-refused', path: '', message: error.message, readerType: '' }];
  }
}
