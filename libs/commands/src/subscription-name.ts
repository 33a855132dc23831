import { createHash } from 'node:crypto';

/** Longest name of a subscription of reactions, and what of it is left before a hash. */
const NAME_CHARACTERS = 40;
const HASH_CHARACTERS = 8;

/** The subscription that handles a queue, by which its dead letters are repaired: `notifications.mail` is handled by `notifications_mail`. One queue, one name, for ever. */
export function subscriptionOf(queue: string): string {
  const name = queue.toLowerCase().replaceAll(/[^a-z0-9_]+/g, '_').replace(/^(?=[0-9])/, 'q');
  if (name.length <= NAME_CHARACTERS && name === queue.replaceAll('.', '_')) return name;
  return `${name.slice(0, NAME_CHARACTERS - HASH_CHARACTERS - 1)}_${createHash('sha256').update(queue).digest('hex').slice(0, HASH_CHARACTERS)}`;
}
