import { Rebuild } from 'factline/projections';
import { projectionModule, projectionOf } from '../live.js';
import { cpuSeconds } from '../measurement.js';
import { serveChild } from './child.js';
import type { Addresses } from './connections.js';

export interface RebuildArgument extends Addresses {
  /** The first build becomes the live one; later ones are compared with it and dropped. */
  first: boolean;
}

export interface RebuildResult {
  /** From the call until the new build stands with its indexes at the live position. */
  stageMs: number;
  indexMs: number;
  facts: number;
  rows: number;
  cpu: number;
  peakMegabytes: number;
  verification: { equal: boolean; ms: number; rows: number } | undefined;
}

/** What `factline replay` does, in a process of its own, so that its memory and its start are its own. */
await serveChild<RebuildArgument, RebuildResult>(async ({ kafka, registryUrl, databaseUrl, topic, first }) => {
  const connections = { databaseUrl, kafka: { brokers: kafka }, registryUrl };
  const rebuild = await Rebuild.open({ projection: await projectionOf(topic), connections, module: projectionModule(topic) });
  try {
    const before = process.cpuUsage();
    const started = performance.now();
    const { facts, rows, indexMs } = await rebuild.stage();
    const stageMs = performance.now() - started;
    const cpu = cpuSeconds(before);
    const peakMegabytes = Math.round(process.resourceUsage().maxRSS / 1_024);
    if (first) {
      await rebuild.swap();
      return { stageMs, indexMs, facts, rows, cpu, peakMegabytes, verification: undefined };
    }
    const { equal, elapsedMs, rebuiltRows } = await rebuild.verify();
    await rebuild.drop('staged');
    return { stageMs, indexMs, facts, rows, cpu, peakMegabytes, verification: { equal, ms: elapsedMs, rows: rebuiltRows } };
  } finally {
    await rebuild.close();
  }
});
