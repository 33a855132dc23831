import type { Rule } from './rule.js';

/** What a registry or the lock file has, beside what is declared. */
export const REGISTRY_RULES = {
  'registry-drift': {
    severity: 'info',
    says: 'What is declared is not the newest registered version.',
    why: 'A change is not registered before it is merged and applied, so this is told and no fault; after that it says that a version waits to be applied, or that the working tree is older than the registry.',
    before: 'version 3 is registered',
    after: 'the working tree declares what would be version 4',
    instead: 'After the merge: factline contracts apply, then factline contracts pull. If the registry is ahead, take the newer schema from the main branch.',
  },
  'registered-out-of-band': {
    severity: 'warning',
    says: 'A version is registered that neither the working tree, nor the lock, nor any base knows.',
    why: 'Software writes, or may write, facts of a schema that no review has seen and no check judges.',
    before: 'version 3 is in the lock file',
    after: 'the registry has version 4, which nothing here declared',
    instead: 'If it came from the main branch, rebase on it. Otherwise find who registered it, and declare it: facts of it may lie on the topic already.',
  },
  'level-drift': {
    severity: 'warning',
    says: 'The registry enforces another compatibility level than contracts.config.yaml declares.',
    why: 'A lower level lets a version through that breaks a replay; a higher one refuses what the check allowed.',
    before: 'compatibility: FULL_TRANSITIVE',
    after: 'the registry enforces BACKWARD',
    instead: 'factline contracts apply sets the declared level; it lowers one only with --lower-level.',
  },
  'registered-undeclared': {
    severity: 'info',
    says: 'A subject of a namespace that is declared here is registered, and no fact of that name is declared.',
    why: 'Its facts stay on the topic; a name that was misspelt once stays in the registry as well.',
    before: 'schemas/hr/employee/EmployeeHired.avsc',
    after: '(gone, or never there)',
    instead: 'Bring the file back if its facts can lie on a topic. Nothing here deletes a subject.',
  },
} as const satisfies Record<string, Rule>;
