import { until } from 'factline/testing';
import { EMPLOYEE_TOPIC, type StatedFact, byKey, statedFacts, withoutRepetitions } from './employee-topic.js';
import type { Estate } from './estate.js';
import type { Write } from './steady-writers.js';

const SETTLED_WITHIN = 60_000;

/** What is wrong with the facts of one employee, given what was written: an answered write is there once and in its place, an unanswered one at most once. */
export function faultsOf(facts: readonly StatedFact[], writes: readonly Write[]): string[] {
  const stated = withoutRepetitions(facts).slice(1).map(({ data }) => data['salaryCents'] as number);
  const unknown = new Set(writes.filter(({ outcome }) => outcome === 'unknown').map(({ salaryCents }) => salaryCents));
  const answered = writes.filter(({ outcome }) => outcome === 'acknowledged').map(({ salaryCents }) => salaryCents);
  const written = new Set(writes.map(({ salaryCents }) => salaryCents));
  const counted = stated.filter((salary) => !unknown.has(salary));
  return [
    ...answered.filter((salary) => !stated.includes(salary)).map((salary) => `${salary} was acknowledged and is not in the topic`),
    ...stated.filter((salary) => !written.has(salary)).map((salary) => `${salary} was never written`),
    ...stated.filter((salary, i) => stated.indexOf(salary) !== i).map((salary) => `${salary} is there twice`),
    ...(JSON.stringify(counted.toSorted((a, b) => a - b)) === JSON.stringify(counted) ? [] : ['the order of the writes was not kept']),
  ];
}

/** When everything that hr stated is on the topic, and payroll has applied all of it. */
export async function settled(here: Estate): Promise<void> {
  const log = here.world.log();
  await until(
    'everything to be published and applied',
    async () => {
      const { stdout } = await here.factline(['outbox', 'status', '--app', 'hr', '--json']);
      if ((JSON.parse(stdout) as { pending: { rows: number } }).pending.rows > 0) return false;
      const [topic] = await log.describe([EMPLOYEE_TOPIC]);
      const { rows } = await here.store('payroll').query<{ partition: number; next: string }>('select partition, next_offset as next from payees.checkpoint where topic = $1', [EMPLOYEE_TOPIC]);
      return topic!.partitions.every(({ end }, partition) => Number(rows.find((row) => row.partition === partition)?.next ?? 0) === end);
    },
    SETTLED_WITHIN,
  );
}

/**
 * What is wrong in hr's table, on the topic and in payroll's table after such writes, once all is settled: every acknowledged write is on the topic once and in
 * its order, nothing is there that nobody wrote, and both tables say what the last fact says.
 */
export async function faultsOfAll(here: Estate, ids: readonly string[], writes: readonly Write[]): Promise<string[]> {
  const stated = byKey(await statedFacts(here));
  const { rows: employees } = await here.store('hr').query<{ id: string; version: number; salary: string }>('select id, version, salary_cents as salary from employee');
  const { rows: payees } = await here.store('payroll').query<{ id: string; salary: string; sequence: string }>(
    'select employee_id as id, salary_cents as salary, factline_sequence as sequence from payees.payees where starts_with(employee_id, $1)',
    [here.prefix],
  );
  const counts = [stated.size, employees.length, payees.length];
  const surplus = counts.every((count) => count === ids.length) ? [] : [`${counts.join(', ')} on the topic, in hr and in payroll, not ${ids.length}`];
  return [...surplus, ...ids.flatMap((id) => faultsOfOne(id).map((fault) => `${id}: ${fault}`))];

  function faultsOfOne(id: string): string[] {
    const facts = stated.get(id) ?? [];
    const once = withoutRepetitions(facts);
    const right = `version ${once.length}, ${String(once.at(-1)?.data['salaryCents'])}`;
    const [employee, payee] = [employees.find((each) => each.id === id), payees.find((each) => each.id === id)];
    const inHr = `version ${employee?.version}, ${employee?.salary}`;
    const inPayroll = `version ${payee?.sequence}, ${payee?.salary}`;
    return [
      ...faultsOf(facts, writes.filter((write) => write.id === id)),
      ...(inHr === right ? [] : [`hr has ${inHr}, the topic ${right}`]),
      ...(inPayroll === right ? [] : [`payroll has ${inPayroll}, the topic ${right}`]),
    ];
  }
}
