import { resolve } from 'node:path';
import { pause } from 'factline/kernel';
import { until } from 'factline/testing';
import { EMPLOYEE_TOPIC } from '../support/employee-topic.js';
import { freePort } from '../support/estate.js';
import { Program } from '../support/program.js';
import { ROOT } from '../support/root.js';
import type { Ground } from './ground.js';
import type { HistoryFile } from './history.js';
import { INSTANCES, type Instance } from './schedule.js';
import type { TallyArgument, TallyStatus } from './tally-app.js';

const TALLY = resolve(ROOT, 'dist/e2e/nemesis/tally-app.js');
/** An orchestrator that starts a process again when it ended by itself looks about so often. */
const SUPERVISE_EVERY = 500;
const READY_WITHIN = 90_000;
const PROBE_TIMEOUT = 1_000;
const WORDS_KEPT = 300;

interface Member {
  program: Program;
  incarnation: number;
  /** Killed by a fault, and not to be started before it heals. */
  held: boolean;
}

/** Two processes of each app, started again when they end, as an orchestrator would. */
export class Fleet {
  readonly #members = new Map<Instance, Member>();
  readonly #ports = new Map<Instance, number>();
  /** Processes that ended without a fault that killed them, with their last words. */
  readonly ended: string[] = [];
  /** Every process there ever was. */
  readonly pids: number[] = [];
  readonly #programs = new Set<Program>();
  #closing = false;
  /** A nemesis that is interrupted leaves no process behind. */
  readonly #killAll = () => {
    for (const program of this.#programs) program.signal('SIGKILL');
  };
  #supervision: Promise<void> = Promise.resolve();

  constructor(
    private readonly ground: Ground,
    private readonly history: HistoryFile,
    /** What an instance is given beside the usual: a clock that can be set. */
    private readonly settings: (instance: Instance) => Readonly<Record<string, string>>,
  ) {}

  /** One of each app first: two that make the same tables at the same time are another test. */
  async start(): Promise<void> {
    process.once('exit', this.#killAll);
    for (const instance of INSTANCES) this.#ports.set(instance, await freePort());
    for (const instance of ['hr-1', 'payroll-1', 'tally-1'] as const) this.#launch(instance);
    await this.ready(['hr-1', 'payroll-1', 'tally-1']);
    for (const instance of ['hr-2', 'payroll-2', 'tally-2'] as const) this.#launch(instance);
    await this.ready();
    this.#supervision = this.#supervise();
  }

  url(instance: Instance): string {
    return `http://127.0.0.1:${this.#ports.get(instance)}`;
  }

  pid(instance: Instance): number {
    return this.#members.get(instance)!.program.pid;
  }

  signal(instance: Instance, signal: 'SIGSTOP' | 'SIGCONT'): void {
    this.#members.get(instance)!.program.signal(signal);
  }

  async kill(instance: Instance): Promise<void> {
    const member = this.#members.get(instance)!;
    member.held = true;
    await member.program.stop('SIGKILL');
  }

  restart(instance: Instance): void {
    this.#launch(instance);
  }

  /** Another process with a read model that counts; the caller stops it. */
  count(what: Pick<TallyArgument, 'databaseUrl' | 'topic' | 'group' | 'name' | 'payslipsUrl'>): Program {
    const { FACTLINE_KAFKA: kafka, FACTLINE_REGISTRY_URL: registryUrl } = this.ground.estate.environment;
    const argument: TallyArgument = { kafka: kafka!.split(','), registryUrl: registryUrl!, ...what };
    const program = new Program(process.execPath, ['--enable-source-maps', TALLY, JSON.stringify(argument)], { environment: {}, cwd: ROOT });
    this.#programs.add(program);
    return program;
  }

  /** When all answer that they are ready. */
  async ready(instances: readonly Instance[] = INSTANCES): Promise<void> {
    for (const instance of instances) {
      await until(`${instance} to be ready`, () => this.#isReady(instance), READY_WITHIN).catch((error: unknown) => {
        throw new Error(`${String(error)} It said:\n${this.#members.get(instance)!.program.tail}`);
      });
    }
  }

  /** Whether the reaction has stopped trying in a process. */
  breakerOpen(): boolean {
    return INSTANCES.some((instance) => instance.startsWith('tally') && this.#told(instance)?.reaction?.code === 'consumer.breaker');
  }

  /** What every process says of itself now; one that does not answer is left out. */
  async sample(): Promise<void> {
    await Promise.all(INSTANCES.map((instance) => (instance.startsWith('tally') ? this.#sampleTally(instance) : this.#sampleApp(instance))));
  }

  async close(): Promise<void> {
    this.#closing = true;
    await this.#supervision;
    await Promise.all([...this.#programs].map((program) => program.stop('SIGKILL')));
    process.off('exit', this.#killAll);
  }

  #launch(instance: Instance): void {
    const before = this.#members.get(instance);
    if (before?.program.running) return;
    const { estate, tally, payslips } = this.ground;
    const [app] = instance.split('-') as [string];
    const settings = { LOG_LEVEL: 'warn', PORT: String(this.#ports.get(instance)), ...this.settings(instance) };
    const program =
      app === 'tally' ? this.count({ databaseUrl: tally.throughProxy, topic: EMPLOYEE_TOPIC, group: 'tally', name: 'tally', payslipsUrl: payslips.throughProxy }) : estate.launch(app, settings);
    this.#programs.add(program);
    this.pids.push(program.pid);
    this.#members.set(instance, { program, incarnation: (before?.incarnation ?? 0) + 1, held: false });
  }

  async #supervise(): Promise<void> {
    while (!this.#closing) {
      for (const [instance, { program, held }] of this.#members) {
        if (program.running || held) continue;
        const { code, signal } = await program.ended;
        this.ended.push(`${instance} ended with ${signal ?? code}: ${lastWords(program)}`);
        this.#launch(instance);
      }
      await pause(SUPERVISE_EVERY);
    }
  }

  async #isReady(instance: Instance): Promise<boolean> {
    if (instance.startsWith('tally')) return ['LIVE', 'CATCHING-UP', 'BLOCKED-KEYS', 'STALE', 'STARTING'].includes(this.#told(instance)?.state ?? '');
    return fetch(`${this.url(instance)}/health/ready`, { signal: AbortSignal.timeout(PROBE_TIMEOUT) }).then(
      ({ ok }) => ok,
      () => false,
    );
  }

  #told(instance: Instance): TallyStatus | undefined {
    const { stdout } = this.#members.get(instance)!.program;
    const end = stdout.lastIndexOf('\n');
    return end < 0 ? undefined : (JSON.parse(stdout.slice(stdout.lastIndexOf('\n', end - 1) + 1, end)) as TallyStatus);
  }

  async #sampleTally(instance: Instance): Promise<void> {
    const told = this.#told(instance);
    if (!told) return;
    const { blockedKeys, heapBytes, state, reaction } = told;
    for (const read of told.cached) this.history.write({ type: 'cached', instance, ...read });
    const fenced = told.fenced + (reaction?.fenced ?? 0);
    this.history.write({ type: 'sample', at: Date.now(), instance, incarnation: this.#members.get(instance)!.incarnation, fenced, rejectedSends: 0, blockedKeys, heapBytes, states: [state, ...(reaction ? [reaction.state, ...(reaction.code === null ? [] : [reaction.code])] : [])] });
  }

  /** Facts that it knows of and has not applied; 0 when it does not answer. */
  async lag(instance: Instance): Promise<number> {
    return (await this.#metrics(instance))?.('factline_subscription_lag_facts') ?? 0;
  }

  async #metrics(instance: Instance): Promise<((name: string) => number) | undefined> {
    const text = await fetch(`${this.url(instance)}/metrics`, { signal: AbortSignal.timeout(PROBE_TIMEOUT) }).then(
      (answer) => answer.text(),
      () => undefined,
    );
    return text === undefined ? undefined : (name) => Number(new RegExp(`^${name}(?:\\{[^}]*\\})? (\\S+)$`, 'm').exec(text)?.[1] ?? 0);
  }

  async #sampleApp(instance: Instance): Promise<void> {
    const { incarnation } = this.#members.get(instance)!;
    const of = await this.#metrics(instance);
    if (!of) return;
    this.history.write({
      type: 'sample',
      at: Date.now(),
      instance,
      incarnation,
      fenced: of('factline_subscription_fenced_total'),
      rejectedSends: of('factline_relay_rejected_sends_total'),
      blockedKeys: of('factline_subscription_blocked_keys'),
      heapBytes: of('nodejs_heap_size_used_bytes'),
      states: [],
    });
  }
}

/** What an app says in its last log line, or the first line of what Node says of an error that nobody caught. */
function lastWords({ stdout, stderr }: Program): string {
  const uncaught = /^\s*(?:\w*Error\b.*)$/m.exec(stderr)?.[0];
  return (uncaught ?? (stdout.trimEnd().split('\n').at(-1) || 'nothing')).trim().slice(0, WORDS_KEPT);
}
