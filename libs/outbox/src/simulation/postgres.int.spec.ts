import fc from 'fast-check';
import type { Session } from 'factline/store';
import { Simulation } from 'factline/testing/simulation';
import { type TestDatabase, jobs, testDatabase } from '../database.spec.support.js';
import { readPage } from '../page.js';
import { ADD_TO } from '../schema.js';
import { firstPage, parseSnapshot } from '../snapshot.js';
import { SimulatedPostgres, type Transaction } from './postgres.spec.support.js';
import { answer } from './statements.spec.support.js';

/** What writers do and a reader sees, on the simulated database or on the real one. */
interface Outbox {
  begin(writer: number): Promise<void>;
  takeId(writer: number): Promise<void>;
  state(writer: number, key: string): Promise<void>;
  end(writer: number, how: 'commit' | 'rollback'): Promise<void>;
  snapshot(): Promise<string>;
  page(statement: string): Promise<Buffer>;
}

const WRITERS = 4;
const PAGE_FACTS = 100;
let database: TestDatabase;
let sessions: Session[];

beforeAll(async () => {
  database = await testDatabase();
  sessions = await Promise.all(Array.from({ length: WRITERS + 1 }, () => database.store.session()));
});
afterAll(async () => {
  await Promise.all(sessions.map((session) => session.close()));
  await database.drop();
});

function real(): Outbox {
  const reader = sessions[WRITERS]!;
  return {
    begin: async (writer) => void (await sessions[writer]!.query('begin')),
    takeId: async (writer) => void (await sessions[writer]!.query('select pg_current_xact_id()')),
    state: async (writer, key) => void (await sessions[writer]!.query(ADD_TO[0]!.text, [jobs.name, key, Buffer.alloc(24), null])),
    end: async (writer, how) => void (await sessions[writer]!.query(how)),
    snapshot: async () => (await reader.query<{ snapshot: string }>('select pg_current_snapshot()::text as snapshot')).rows[0]!.snapshot,
    page: async (statement) => {
      const chunks: Buffer[] = [];
      for await (const chunk of reader.copyOut(statement)) chunks.push(chunk);
      return Buffer.concat(chunks);
    },
  };
}

function simulated(): Outbox {
  const [turns] = fc.sample(fc.scheduler(), 1);
  const postgres = new SimulatedPostgres(new Simulation(turns!, 1));
  const open: Transaction[] = [];
  return {
    begin: async (writer) => void (open[writer] = postgres.begin()),
    takeId: async (writer) => void postgres.xidOf(open[writer]!),
    state: (writer, key) => postgres.state(open[writer]!, 0, jobs.name, key, Buffer.alloc(24)),
    end: async (writer, how) => postgres[how](open[writer]!),
    snapshot: async () => postgres.snapshot(),
    page: async (statement) => {
      const transaction = postgres.begin();
      const [row] = await answer({ database: postgres, session: transaction, transaction }, statement);
      return row!['chunk'] as Buffer;
    },
  };
}

type Step = { kind: 'begin' | 'take id' | 'commit' | 'rollback'; writer: number } | { kind: 'state'; writer: number; key: string } | { kind: 'poll' };

/** Plays the steps and answers what each poll brought. What would wait for a lock, or has no transaction, is left out. */
async function play(outbox: Outbox, steps: readonly Step[]): Promise<string[][]> {
  const holders = new Map<string, number>();
  const open = new Set<number>();
  const polls: string[][] = [];
  let previous = parseSnapshot(await outbox.snapshot());
  const end = async (writer: number, how: 'commit' | 'rollback') => {
    await outbox.end(writer, how);
    open.delete(writer);
    for (const [key, holder] of holders) if (holder === writer) holders.delete(key);
  };
  const poll = async () => {
    const current = parseSnapshot(await outbox.snapshot());
    const bytes = await outbox.page(firstPage(previous, current, PAGE_FACTS));
    const { rows } = await readPage((async function* () { yield bytes; })(), Infinity);
    polls.push(rows.map(({ key, sequence }) => `${key.toString()}${sequence}`));
    previous = current;
  };
  for (const step of steps) {
    if (step.kind === 'poll') await poll();
    else if (step.kind === 'begin') {
      if (!open.has(step.writer)) await outbox.begin(step.writer);
      open.add(step.writer);
    } else if (!open.has(step.writer)) continue;
    else if (step.kind === 'take id') await outbox.takeId(step.writer);
    else if (step.kind !== 'state') await end(step.writer, step.kind);
    else if ((holders.get(step.key) ?? step.writer) === step.writer) {
      holders.set(step.key, step.writer);
      await outbox.state(step.writer, step.key);
    }
  }
  for (const writer of open) await end(writer, 'commit');
  await poll();
  return polls;
}

it('the simulated database shows a relay what PostgreSQL shows it, poll by poll', async () => {
  const writer = fc.nat(WRITERS - 1);
  const step: fc.Arbitrary<Step> = fc.oneof(
    { weight: 3, arbitrary: fc.record({ kind: fc.constantFrom('begin' as const, 'take id' as const, 'commit' as const, 'rollback' as const), writer }) },
    { weight: 3, arbitrary: fc.record({ kind: fc.constant('state' as const), writer, key: fc.constantFrom('a', 'b', 'c') }) },
    { weight: 1, arbitrary: fc.constant({ kind: 'poll' as const }) },
  );
  let facts = 0;
  await fc.assert(
    fc.asyncProperty(fc.array(step, { minLength: 20, maxLength: 80 }), async (steps) => {
      const expected = await play(real(), steps);
      expect(await play(simulated(), steps)).toEqual(expected);
      facts += expected.flat().length;
      await database.reset();
    }),
    { numRuns: 40 },
  );
  expect(facts).toBeGreaterThan(0);
});
