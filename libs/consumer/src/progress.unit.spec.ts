import { until } from 'factline/testing';
import { type Scene, scene } from './consumer.spec.support.js';

let s: Scene;
beforeEach(async () => {
  s = await scene();
});
afterEach(() => s.close());

it('how far a partition is gets marked when it is taken, and again when it has moved, also where nothing is known of as-of times', async () => {
  const entries = () => s.target.asOf.filter(({ partition }) => partition === 0);
  const subscription = s.subscribe();
  await until('it to be marked', () => entries().length === 1);
  await s.publish(0, 3);
  await s.settled(subscription);
  await until('it to be marked again', () => entries().length === 2);
  await s.publish(1, 3); // the other partition moves, this one does not
  await s.settled(subscription);
  await until('the other one to be marked', () => s.target.asOf.filter(({ partition }) => partition === 1).length === 2);
  expect(entries()).toEqual([1, 2].map(() => ({ partition: 0, generation: 1, asOfMs: null, moved: true })));
});
