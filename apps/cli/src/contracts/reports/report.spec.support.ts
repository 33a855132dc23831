import { PassThrough } from 'node:stream';
import type { CheckResult, ConsumerVerdict, Finding } from 'factline/contracts/check';
import { Output } from '../../output.js';
import type { Report } from './telling.js';

export const BASE = 'git 4f1c2a9 (merge base with origin/main)';

export function consumer(app: string, verdict: ConsumerVerdict['verdict'], more: Partial<ConsumerVerdict> = {}): ConsumerVerdict {
  return { app, fact: 'shop.OrderPlaced', verdict, place: { file: `apps/${app}/contracts.yaml`, line: 6, column: 16 }, reasons: [], ...more };
}

export function finding(more: Partial<Finding> = {}): Finding {
  return {
    rule: 'field-removed',
    severity: 'error',
    fact: 'shop.OrderPlaced',
    field: 'customer.email',
    place: { file: 'schemas/shop/order/OrderPlaced.avsc', line: 14, column: 5 },
    message: 'It was string without a default, and is gone.',
    against: [BASE],
    consumers: [],
    advice: 'Keep it.',
    ...more,
  };
}

export function resultOf(...findings: readonly Finding[]): CheckResult {
  return { findings, consumers: [...new Map(findings.flatMap(({ consumers }) => consumers).map((each) => [`${each.app} ${each.fact}`, each])).values()], facts: { checked: 3, added: 0, changed: 1, removed: 0 } };
}

/** One of everything that a report has to tell. */
export const EVERYTHING = resultOf(
  finding({ consumers: [consumer('mailer', 'BROKEN', { deployed: ['prod 4f1c2a9'] }), consumer('board', 'DEGRADED', { tree: BASE }), consumer('audit', 'SAFE')] }),
  finding({ rule: 'default-changed', severity: 'warning', field: 'lines[].sku', message: 'Its default was "" and is "-".', consumers: [consumer('board', 'DEGRADED'), consumer('mailer', 'SAFE')] }),
  finding({ rule: 'fact-added', severity: 'info', fact: 'shop.OrderPaid', field: '', place: { file: 'schemas/shop/order/OrderPaid.avsc', line: 1, column: 1 }, message: 'shop.OrderPaid is new.', advice: '' }),
  finding({ field: 'note', accepted: { reason: 'nobody reads it', approvedBy: 'lea', until: '2026-12-31' }, consumers: [consumer('mailer', 'BROKEN')] }),
);

/** Names and messages that try to be more than text. */
export const HOSTILE = 'a|b `c` <img src=x onerror=1> & @octocat #12 [x](y) \\| "q"\n\r]]> \u0007\u0000\ud800 %0A::error::';

/** What a report prints, to a terminal if that is asked for. */
export function told(report: Report, result: CheckResult, { terminal = false, json = false } = {}): string {
  const stream = new PassThrough();
  report(new Output(json, Object.assign(stream, { isTTY: terminal }) as unknown as NodeJS.WriteStream), result, BASE);
  return ((stream.read() as Buffer | null) ?? '').toString();
}
