import { describeReading } from './reading.spec.support.js';
import { describeSending } from './sending.spec.support.js';
import { describeSubscribing } from './subscribing.spec.support.js';
import { type LogUnderTest, SuiteWorld } from './suite-world.spec.support.js';

/** The promises of the port, the same for every driver. */
export function describeLog(name: string, makeLog: () => Promise<LogUnderTest>): void {
  describe(`${name}: a fact log`, () => {
    const world = new SuiteWorld();
    beforeAll(async () => world.open(await makeLog()));
    afterAll(() => world.close());
    beforeEach(() => world.newTopic());
    afterEach(() => world.cleanUp());
    describeSending(world);
    describeReading(world);
    describeSubscribing(world);
  });
}
