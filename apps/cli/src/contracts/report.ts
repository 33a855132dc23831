import { github } from './reports/github.js';
import { json } from './reports/json.js';
import { junit } from './reports/junit.js';
import { markdown } from './reports/markdown.js';
import { sarif } from './reports/sarif.js';
import type { Report } from './reports/telling.js';
import { text } from './reports/text.js';

export { LABEL } from './reports/text.js';

export type ReportFormat = 'text' | 'json' | 'markdown' | 'github' | 'sarif' | 'junit';

/** How the result of `contracts check` is told. */
export const REPORTS: Readonly<Record<ReportFormat, Report>> = { text, json, markdown, github, sarif, junit };
