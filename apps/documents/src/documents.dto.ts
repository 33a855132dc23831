import { Type } from 'class-transformer';
import { field } from 'factline/nest';
import { LANGUAGES, type Language } from './documents.tables.js';
import { NAME_CHARACTERS, QUERY_CHARACTERS, RESULTS, RESULTS_MAX } from './limits.js';

export class NewDocument {
  @field.text({ max: NAME_CHARACTERS, description: "The file's name.", example: 'minutes.pdf' }) name!: string;
  @field.oneOf({ values: LANGUAGES, optional: true, description: 'Its words are reduced to their stems as in this language; default simple: not at all.' })
  language: Language = 'simple';
}

export class DocumentId {
  @field.code({ pattern: /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/, expects: 'a UUID in lower case', example: '019aa7f0-7c1e-7000-8000-000000000000' }) id!: string;
}

export class Question {
  @field.text({ max: QUERY_CHARACTERS, description: 'Words, "a phrase", one or another, -without.', example: 'budget -draft' }) q!: string;
  @Type(() => Number)
  @field.whole({ min: 1, max: RESULTS_MAX, optional: true, description: `Documents at most; default ${RESULTS}.` })
  limit: number = RESULTS;
}
