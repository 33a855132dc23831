import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import type { SchemaPair } from './pairs.spec.support.js';

/** What Apache Avro's Java code says of one pair; tools/oracle/Compat.java has the words. */
export interface OracleAnswer {
  readonly id: string;
  readonly compatible?: boolean;
  readonly incompatibilities?: readonly { kind: string; location: string; message: string }[];
  readonly refused?: 'reader' | 'writer' | 'both';
  readonly thrown?: string;
  readonly message?: string;
}

const ORACLE = join(import.meta.dirname, '../../../../tools/oracle/run.mjs');
const ENVIRONMENT_FAULT = 3;

/** Why the oracle cannot be asked on this machine, or undefined. The first time, it downloads Avro. */
export async function oracleMissing(): Promise<string | undefined> {
  const { code, errors } = await run(['--prepare'], '');
  if (code === 0) return undefined;
  if (code === ENVIRONMENT_FAULT) return errors.trim().split('\n').at(-1) ?? '';
  throw new Error(`the oracle failed with exit code ${code}: ${errors}`);
}

/** The answers in the order of the pairs. */
export async function askOracle(pairs: readonly SchemaPair[]): Promise<OracleAnswer[]> {
  const { code, output, errors } = await run([], pairs.map((pair) => `${JSON.stringify(pair)}\n`).join(''));
  const answers = output.split('\n').filter(Boolean).map((line) => JSON.parse(line) as OracleAnswer);
  if (code !== 0 || answers.length !== pairs.length) throw new Error(`the oracle gave ${answers.length} answers to ${pairs.length} pairs, exit code ${code}: ${errors}`);
  return answers;
}

async function run(args: readonly string[], input: string): Promise<{ code: number; output: string; errors: string }> {
  const child = spawn(process.execPath, [ORACLE, ...args], { stdio: ['pipe', 'pipe', 'pipe'], env: { ...process.env, NODE_OPTIONS: '' } });
  child.stdin.on('error', () => undefined); // it may end before it has read all: its exit code tells
  child.stdin.end(input);
  const [output, errors, [code]] = await Promise.all([text(child.stdout), text(child.stderr), once(child, 'close') as Promise<[number]>]);
  return { code, output, errors };
}
