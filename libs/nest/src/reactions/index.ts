export { connectFacts } from './connect.js';
export { OnFact, OnFacts, ReactionController, Run } from './on-fact.js';
export { provideReactions } from './subscriptions.js';
