import { FactOutbox } from 'factline/outbox';
import { reactions } from 'factline/reactions';
import { Store, type Tx } from 'factline/store';
import { silentLogger } from 'factline/kernel';
import { Commands, commandQueue } from './index.js';
import { MailSent, MailSentSelected, QUEUE, SendMail, SendMailSelected } from './mail.spec.support.js';

// The compiler is the test: each line below a directive has to be refused, or the directive itself is an error.

const outbox = (): FactOutbox => Object.create(FactOutbox.prototype) as FactOutbox;
const commands = (): Commands => Object.create(Commands.prototype) as Commands;
const refused = (tx: Tx) => [
  () => outbox().add(tx, MailSent('c-1', { text: 'a fact' })),
  () => commands().send(tx, SendMail('c-1', { text: 'a command' })),
  // @ts-expect-error the outbox states facts: a command may be refused
  () => outbox().add(tx, SendMail('c-1', { text: 'a command' })),
  // @ts-expect-error a fact has happened: nobody can be asked for it
  () => commands().send(tx, MailSent('c-1', { text: 'a fact' })),
  // @ts-expect-error a pool is no transaction
  () => commands().send(Object.create(Store.prototype) as Store, SendMail('c-1', { text: 'a command' })),
];

it('a reaction takes facts, and a queue takes commands, not the other way round', () => {
  const reaction = reactions({ name: 'spec', from: 'now' });
  const queue = commandQueue({ queue: QUEUE });
  reaction.on(MailSentSelected, () => undefined);
  queue.on(SendMailSelected, () => undefined);
  // @ts-expect-error a command is handled by its owner's queue
  reaction.on(SendMailSelected, () => undefined);
  // @ts-expect-error a fact is nothing to be performed; at run time it is refused too, for it lies elsewhere
  expect(() => queue.on(MailSentSelected, () => undefined)).toThrow(expect.objectContaining({ code: 'command.queue-invalid' }));
  expect(refused).toBeInstanceOf(Function);
});

it('only the owner of a queue handles it, and a command has one handler', () => {
  const queue = commandQueue({ queue: QUEUE }).on(SendMailSelected, () => undefined);
  const parts = { store: Object.create(Store.prototype) as Store, log: silentLogger };
  expect(() => queue.reactions({ ...parts, app: 'shop' })).toThrow(expect.objectContaining({ code: 'command.not-owner' }));
  expect(queue.reactions({ ...parts, app: 'post' }).name).toBe('post_mail');
  expect(() => queue.on(SendMailSelected, () => undefined)).toThrow(expect.objectContaining({ code: 'command.queue-invalid' }));
});

it('queues with names that are too long or alike have subscriptions of their own', () => {
  const name = (queue: string) => commandQueue({ queue }).name;
  const long = `${'a'.repeat(60)}.mail`;
  expect(name(long).length).toBeLessThanOrEqual(40);
  expect(new Set([name('post.mail'), name('post-mail'), name('Post.Mail'), name(long), name(`${long}s`)]).size).toBe(5);
});
