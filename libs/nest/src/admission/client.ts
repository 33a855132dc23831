import { isIPv6 } from 'node:net';
import type { HttpRequest } from '../http/exchange.js';

/** Who asks, when the app does not say: the authenticated subject, else the address. The two cannot be mistaken for each other. */
export function clientOf(request: HttpRequest & { user?: unknown; ip?: string }): string | undefined {
  const subject = subjectOf(request.user);
  if (subject !== undefined) return `subject ${subject}`;
  return request.ip === undefined ? undefined : `address ${networkOf(request.ip)}`;
}

function subjectOf(user: unknown): string | undefined {
  const { sub, id } = (user ?? {}) as { sub?: unknown; id?: unknown };
  const subject = [user, sub, id].find((each) => typeof each === 'string' || typeof each === 'number');
  return subject === undefined ? undefined : String(subject);
}

/** One client has a whole /64 of IPv6 addresses, and could use another one for each request. */
export function networkOf(address: string): string {
  const bare = address.replace(/%.*$/, '');
  const mapped = /^::ffff:(\d+\.\d+\.\d+\.\d+)$/i.exec(bare);
  if (mapped) return mapped[1]!;
  if (!isIPv6(bare)) return bare;
  const [head = '', tail] = bare.toLowerCase().split('::');
  const groups = (text: string) => (text === '' ? [] : text.split(':'));
  const [first, last] = [groups(head), groups(tail ?? '')];
  const whole = tail === undefined ? first : [...first, ...Array.from({ length: Math.max(0, 8 - first.length - last.length) }, () => '0'), ...last];
  return `${whole.slice(0, 4).map((group) => Number.parseInt(group, 16).toString(16)).join(':')}::/64`;
}
