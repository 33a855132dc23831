import { admissionGoodput } from './measures/admission-goodput.js';
import { blockedKeys, redriveRate } from './measures/blocked-keys.js';
import { contractsCheck } from './measures/contracts-check.js';
import { decode } from './measures/decode.js';
import { jobs } from './measures/jobs.js';
import { latency } from './measures/latency.js';
import { outboxWriterCost } from './measures/outbox-writer-cost.js';
import { projectionLive } from './measures/projection-live.js';
import { reactionsLive } from './measures/reactions.js';
import { rebuild } from './measures/rebuild.js';
import { relayDrain } from './measures/relay-drain.js';
import { swap } from './measures/swap.js';
import type { Measure } from './measurement.js';

/** In the order in which they run. */
export const measures: Readonly<Record<string, Measure>> = {
  'decode-selection': decode,
  'contracts-check': contractsCheck,
  'relay-drain': relayDrain,
  'outbox-writer-cost': outboxWriterCost,
  'projection-live': projectionLive,
  rebuild,
  swap,
  latency,
  'reactions-live': reactionsLive,
  jobs,
  'blocked-keys': blockedKeys,
  'redrive-rate': redriveRate,
  'admission-goodput': admissionGoodput,
};
