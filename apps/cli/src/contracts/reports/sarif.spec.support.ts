import { createRequire } from 'node:module';
import { Ajv } from 'ajv';
import type { Finding } from 'factline/contracts/check';
import { resultOf, told } from './report.spec.support.js';
import { sarif } from './sarif.js';

/** As far as the specs look. */
interface Log {
  runs: [
    {
      tool: { driver: { rules: { id: string; shortDescription: { text: string }; fullDescription: { text: string }; help: { text: string; markdown: string }; properties: { tags: string[] } }[] } };
      invocations: { toolExecutionNotifications?: { message: { text: string } }[] }[];
      results: Result[];
    },
  ];
}

interface Location {
  id?: number;
  message?: { text: string };
  physicalLocation: { artifactLocation: { uri: string; uriBaseId: string }; region?: { startLine: number; startColumn: number } };
}

export interface Result {
  ruleId: string;
  ruleIndex: number;
  level: string;
  message: { text: string };
  locations: [Location];
  relatedLocations: Location[];
  suppressions?: { kind: string; status: string; justification: string }[];
  partialFingerprints: Record<string, string>;
}

/** The schema of SARIF 2.1.0, as Microsoft's package for specs carries it: of JSON Schema's draft 4, whose `id` the validator does not know. */
const require = createRequire(import.meta.url);
const { $schema: _draft, id: _id, ...schema } = require('@microsoft/jest-sarif/lib/schemas/sarif-2.1.0-rtm.5.json') as Record<string, unknown>;
const reference = /^(?:[\w\-.~:/?#[\]@!$&'()*+,;=]|%[\dA-F]{2})*$/;
/** Whether a log is valid; `validate.errors` say why not. */
export const validate = new Ajv({ strict: false, allErrors: true, unicodeRegExp: false, formats: { uri: (text: string) => reference.test(text) && URL.canParse(text), 'uri-reference': reference, 'date-time': true } }).compile(schema);

/** The log of findings; what the schema refuses is thrown. */
export function logOf(...findings: readonly Finding[]): Log {
  const log: unknown = JSON.parse(told(sarif, resultOf(...findings)));
  expect({ valid: validate(log), faults: validate.errors }).toEqual({ valid: true, faults: null });
  return log as Log;
}

export function resultsOf(...findings: readonly Finding[]): Result[] {
  return logOf(...findings).runs[0].results;
}
