import { ACCEPTANCE_RULES } from './rules/acceptance.js';
import { CONSUMER_RULES } from './rules/consumer.js';
import { DEPRECATION_RULES } from './rules/deprecation.js';
import { FACT_RULES } from './rules/fact.js';
import { GRANT_RULES } from './rules/grants.js';
import { MEANING_RULES } from './rules/meaning.js';
import { REGISTRY_RULES } from './rules/registry.js';
import { STYLE_RULES } from './rules/style.js';
import { USAGE_RULES } from './rules/usage.js';
import { WIRE_RULES } from './rules/wire.js';

export type { Severity } from './rules/rule.js';

/** Every rule by its id. Ids are stable: acceptances, suppressions and dashboards name them. */
export const RULES = { ...WIRE_RULES, ...CONSUMER_RULES, ...FACT_RULES, ...MEANING_RULES, ...STYLE_RULES, ...GRANT_RULES, ...DEPRECATION_RULES, ...ACCEPTANCE_RULES, ...REGISTRY_RULES, ...USAGE_RULES } as const;

/** `field-removed`, `consumer-broken`: a key of `RULES`. */
export type RuleId = keyof typeof RULES;
