import { CONSUMER_RULES } from './rules/consumer.js';
import { FACT_RULES } from './rules/fact.js';
import { MEANING_RULES } from './rules/meaning.js';
import { WIRE_RULES } from './rules/wire.js';

export type { Severity } from './rules/rule.js';

/** Every rule by its id. Ids are stable: acceptances, suppressions and dashboards name them. */
export const RULES = { ...WIRE_RULES, ...CONSUMER_RULES, ...FACT_RULES, ...MEANING_RULES } as const;

export type RuleId = keyof typeof RULES;
