import type { Command } from 'commander';
import { type AvroJson, checkCompatibility } from 'factline/contracts/check';
import { FactlineError, messageOf } from 'factline/kernel';
import { exitWith } from '../command.js';
import { type Request, answerLines } from './json-lines.js';
import { EXIT_CODES } from '../output.js';

const PROTOCOL = `
Standard input: one JSON line a pair, {"id", "reader", "writer"}; a schema is JSON, or a text that holds JSON.
Standard output: {"id", "compatible", "incompatibilities", "js"} a line, or {"id", "compatible": false, "code", "message", "schema", "path"} for a schema that is none.`;

/** `factline contracts compat`: verdicts for other programs, as many as they ask for. */
export function compatCommand(contracts: Command): void {
  contracts
    .command('compat')
    .description("whether a reader's schema can read what a writer's schema wrote, for each pair on standard input; offline")
    .addHelpText('after', PROTOCOL)
    .action(() =>
      exitWith({}, async () => {
        let asked = true;
        const sound = await answerLines(process.stdin, process.stdout, (request) => {
          if (request['reader'] !== undefined && request['writer'] !== undefined) return verdictOn(request);
          asked = false;
          return { id: request.id, code: 'input.malformed', message: 'A request needs a reader and a writer.' };
        });
        return sound && asked ? 0 : EXIT_CODES.invalid;
      }),
    );
}

function verdictOn({ id, reader, writer }: Request): object {
  try {
    return { id, ...checkCompatibility(schemaIn(reader, 'reader'), schemaIn(writer, 'writer')) };
  } catch (error) {
    if (!(error instanceof FactlineError)) throw error;
    return { id, compatible: false, code: error.code, message: error.message, schema: error.details['schema'], path: error.details['path'] };
  }
}

/** A text that begins like JSON holds a schema; any other is the name of a type. */
function schemaIn(given: unknown, schema: 'reader' | 'writer'): AvroJson {
  if (typeof given !== 'string' || !/^\s*[{["]/.test(given)) return given as AvroJson;
  try {
    return JSON.parse(given) as AvroJson;
  } catch (error) {
    throw new FactlineError({
      code: 'schema.invalid',
      kind: 'configuration',
      message: `The ${schema}'s schema is no JSON: ${messageOf(error)}`,
      advice: 'Give the schema as JSON.',
      details: { schema, path: '' },
      cause: error,
    });
  }
}
