export { ReactionDeadLetters, type Redrive, type RedriveOptions } from './dead-letters.js';
export { type HandledIn, type KnownReactions, handledIn, knownReactions } from './handled.js';
export type { ReactionCounts } from './lane-parts.js';
export { migrateReactions } from './migrations.js';
export { type BatchReaction, type Reaction, type ReactionOptions, type ReactionRun, Reactions, type RetryOptions, reactions } from './reaction.js';
export { Redriver } from './redrive.js';
export { LiveReactions } from './target.js';
