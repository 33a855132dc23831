import { consumeRaw, copyRows } from '../ceilings.js';
import { type ExpectedRow, type Population, expectedRow } from '../employees.js';
import { tableFaults } from '../gates.js';
import { type Measure, measured, median, perSecond } from '../measurement.js';
import { startChild } from '../processes/child.js';
import type { RebuildArgument, RebuildResult } from '../processes/rebuild.js';
import { fill, openScene } from '../scene.js';

const FLOOR_FACTS_PER_SECOND = 250_000;

/** A read model built from offset zero, with its indexes, on one thread per core; and compared with the live one. */
export const rebuild: Measure = async ({ world, quick, say }) => {
  const population: Population = quick ? { keys: 30_000, each: 10 } : { keys: 100_000, each: 10 };
  const scene = await openScene(world, 'rebuild');
  say(`rebuild: writing ${population.keys * population.each} facts`);
  const written = await fill(scene, population);
  say(`rebuild: written at ${Math.round(perSecond(written.facts, written.ms))} facts/s`);
  const rounds = quick ? 2 : 4;
  const runs: RebuildResult[] = [];
  const raw: number[] = [];
  let faults: string[] = [];
  for (let round = 0; round < rounds; round++) {
    raw.push((await consumeRaw(world.kafka, scene.topic, () => undefined)).ms);
    const argument: RebuildArgument = { kafka: world.kafka, registryUrl: world.registryUrl, databaseUrl: scene.databaseUrl, topic: scene.topic, first: round === 0 };
    runs.push(await startChild<RebuildResult>('rebuild', argument).finish());
    if (round === 0) faults = await tableFaults(scene.store, 'payees.payees', population);
    say(`rebuild: ${Math.round(perSecond(written.facts, runs.at(-1)!.stageMs))} facts/s, kafkajs without work ${Math.round(perSecond(written.facts, raw.at(-1)!))}`);
  }
  const verifications = runs.flatMap(({ verification }) => verification ?? []);
  if (!verifications.every(({ equal }) => equal)) faults.push('a rebuild differs from the first one');
  const rows = finalRows(population);
  const copyMs = await copyRows(scene.store, rows);
  return [
    measured({
      name: 'rebuild',
      value: perSecond(written.facts, median(runs.map(({ stageMs }) => stageMs))),
      unit: 'facts/s',
      ceiling: perSecond(written.facts, median(raw)),
      ceilingName: 'kafkajs consumption without work',
      floor: FLOOR_FACTS_PER_SECOND,
      faults,
      detail: {
        facts: written.facts,
        rows: rows.length,
        bytesPerFact: Math.round(written.bytesPerFact),
        rounds,
        stageMs: Math.round(median(runs.map(({ stageMs }) => stageMs))),
        indexMs: Math.round(median(runs.map(({ indexMs }) => indexMs))),
        copyOfFinalRowsMs: Math.round(copyMs),
        cpuSeconds: median(runs.map(({ cpu }) => cpu)),
        peakMegabytes: Math.max(...runs.map(({ peakMegabytes }) => peakMegabytes)),
      },
    }),
    measured({
      name: 'rebuild-verify',
      value: median(verifications.map(({ ms }) => ms)),
      unit: 'ms',
      ceiling: null,
      faults: verifications.every((each) => each.equal && each.rows === rows.length) ? [] : ['the comparison did not find both builds equal and whole'],
      detail: { rows: rows.length },
    }),
  ];
};

function finalRows(population: Population): ExpectedRow[] {
  return Array.from({ length: population.keys }, (_, key) => expectedRow(key, population.each, population)).filter((row) => row !== undefined);
}
