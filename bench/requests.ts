import { Agent, request } from 'node:http';
import { pause } from 'factline/kernel';

/** What one request came back with; status 0: nothing before the deadline, and the client went away. */
export interface Asked {
  status: number;
  ms: number;
  /** Seconds; 0 when the answer does not say. */
  retryAfter: number;
}

export interface LoadOptions {
  rate: number;
  seconds: number;
  deadlineMs: number;
}

/** Requests are due by the clock, whatever becomes of those before them: an open load, as many clients are. */
export async function openLoad(url: string, { rate, seconds, deadlineMs }: LoadOptions): Promise<Asked[]> {
  const agent = new Agent({ keepAlive: true, maxSockets: Infinity });
  const begun = performance.now();
  const under: Promise<Asked>[] = [];
  const total = Math.ceil(rate * seconds);
  while (under.length < total) {
    const due = Math.min(total, Math.floor(((performance.now() - begun) / 1_000) * rate));
    while (under.length < due) under.push(one(url, agent, deadlineMs));
    await pause(5);
  }
  const asked = await Promise.all(under);
  agent.destroy();
  return asked;
}

function one(url: string, agent: Agent, deadlineMs: number): Promise<Asked> {
  const begun = performance.now();
  return new Promise((resolve) => {
    const end = (status: number, retryAfter = 0) => resolve({ status, retryAfter, ms: performance.now() - begun });
    const sent = request(url, { method: 'POST', agent, signal: AbortSignal.timeout(deadlineMs) }, (answer) => {
      answer.on('error', () => end(0)).on('end', () => end(answer.statusCode ?? 0, Number(answer.headers['retry-after'] ?? 0)));
      answer.resume();
    });
    sent.on('error', () => end(0));
    sent.end();
  });
}
