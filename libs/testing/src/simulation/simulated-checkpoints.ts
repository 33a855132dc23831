import { type SqlValue, sqlCondition } from './sql-condition.js';

interface CheckpointRow {
  topic: string;
  partition: number;
  topic_id: string;
  next_offset: string;
  last_offset: string | null;
  last_fact_id: Buffer | null;
  generation: number;
  epoch: string;
}

const ADVANCE = /^update \S+ set next_offset = \$6, last_offset = coalesce\(\$7, last_offset\), last_fact_id = coalesce\(\$8, last_fact_id\), updated_at = clock_timestamp\(\) where (.+) returning 1$/;
const INSERT = /^insert into \S+ \(topic, partition, topic_id, next_offset, generation\) select topic, partition, topic_id, 0, \$4 from unnest\(\$1::text\[\], \$2::integer\[\], \$3::text\[\]\) as t \(topic, partition, topic_id\) on conflict do nothing$/;
const ADD = /^insert into \S+ \(topic, partition, topic_id, next_offset, last_offset, last_fact_id, generation\) values \(\$1, \$2, \$3, \$4, \$5, \$6, \$7\)$/;
const READ = /^select topic, partition, topic_id, next_offset, last_offset, last_fact_id, generation, epoch from \S+ order by topic, partition$/;
const CLAIM = /^update \S+ set epoch = epoch \+ 1 where generation = \$3 and \(topic, partition\) in \(select \* from unnest\(\$1::text\[\], \$2::integer\[\]\)\) returning topic, partition, /;

/** The table of checkpoints of one read model, which answers the statements of factline/consumer as they are written. */
export class SimulatedCheckpoints {
  readonly rows = new Map<string, CheckpointRow>();

  /** @returns undefined for a statement that is not about checkpoints. */
  answer(text: string, values: readonly unknown[]): object[] | undefined {
    const line = text.replaceAll(/\s+/g, ' ').trim();
    const advance = ADVANCE.exec(line);
    if (advance) return this.#advance(advance[1]!, values);
    if (INSERT.test(line)) return this.#insert(values as [string[], number[], string[], number]);
    if (CLAIM.test(line)) return this.#claim(values as [string[], number[], number]);
    if (ADD.test(line)) return this.#add(values as [string, number, string, number, number | null, Buffer | null, number]);
    if (READ.test(line)) return [...this.rows.values()].map((row) => ({ ...row })).toSorted((one, other) => one.partition - other.partition);
    return undefined;
  }

  /** What a swap does to them: there is one for each partition, they belong to another generation, and a former owner's commits are refused. */
  swap(generation: number, topic: { name: string; id: string; partitions: readonly unknown[] }): void {
    const partitions = [...topic.partitions.keys()];
    this.#insert([partitions.map(() => topic.name), partitions, partitions.map(() => topic.id), generation]);
    for (const row of this.rows.values()) Object.assign(row, { generation, epoch: String(Number(row.epoch) + 1) });
  }

  #advance(condition: string, values: readonly unknown[]): object[] {
    const holds = sqlCondition(condition);
    const moved = [...this.rows.values()].filter((row) => holds((name) => (name.startsWith('$') ? values[Number(name.slice(1)) - 1] : row[name as keyof CheckpointRow]) as SqlValue));
    const [, , , , , nextOffset, lastOffset, lastFactId] = values;
    for (const row of moved) {
      row.next_offset = String(Number(nextOffset));
      if (lastOffset !== null) row.last_offset = String(Number(lastOffset));
      if (lastFactId !== null) row.last_fact_id = lastFactId as Buffer;
    }
    return moved;
  }

  #insert([topics, partitions, ids, generation]: [string[], number[], string[], number]): object[] {
    for (const [at, topic] of topics.entries()) {
      const name = `${topic}/${partitions[at]}`;
      if (this.rows.has(name)) continue;
      this.rows.set(name, { topic, partition: partitions[at]!, topic_id: ids[at]!, next_offset: '0', last_offset: null, last_fact_id: null, generation, epoch: '0' });
    }
    return [];
  }

  #add([topic, partition, id, next, last, lastFactId, generation]: [string, number, string, number, number | null, Buffer | null, number]): object[] {
    this.rows.set(`${topic}/${partition}`, { topic, partition, topic_id: id, next_offset: String(next), last_offset: last === null ? null : String(last), last_fact_id: lastFactId, generation, epoch: '0' });
    return [];
  }

  #claim([topics, partitions, generation]: [string[], number[], number]): object[] {
    const claimed = topics.map((topic, at) => this.rows.get(`${topic}/${partitions[at]}`)).filter((row) => row?.generation === generation);
    for (const row of claimed) row!.epoch = String(Number(row!.epoch) + 1);
    return claimed.map((row) => ({ ...row }));
  }
}
