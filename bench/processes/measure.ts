import { world } from 'factline/testing';
import type { Measurement } from '../measurement.js';
import { measures } from '../measures.js';
import { serveChild } from './child.js';

export interface MeasureArgument {
  name: string;
  quick: boolean;
  peers: boolean;
}

/** One measure in a process of its own: what another one left in memory or in compiled code does not count. */
await serveChild<MeasureArgument, Measurement[]>(async ({ name, quick, peers }, side) => {
  const corner = await world();
  const work = measures[name]!({ world: corner, quick, peers, say: (text) => console.error(`  ${text}`) });
  try {
    const stopped = side.finished.then(() => Promise.reject(new Error('stopped')));
    return await Promise.race([work, stopped]);
  } finally {
    await corner.close();
  }
});
