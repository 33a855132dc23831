import { until } from 'factline/testing';
import { startLive } from '../live.js';
import { serveChild } from './child.js';
import { type Addresses, openConnections } from './connections.js';

export interface LiveAppArgument extends Addresses {
  group: string;
}

const CATCH_UP_MS = 60_000;

/** The consuming app: a subscription and its read model, in a process of its own. */
await serveChild<LiveAppArgument, { facts: number; fenced: number }>(async ({ group, ...addresses }, side) => {
  const opened = await openConnections(addresses);
  const live = await startLive(opened, group);
  await until('the read model to be live', () => live.subscription.status.state === 'LIVE', CATCH_UP_MS);
  side.ready();
  await side.finished;
  const { facts, fenced } = live.subscription.status.counts;
  await live.stop();
  await opened.close();
  return { facts, fenced };
});
