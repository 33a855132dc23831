import type { INestApplication, INestMicroservice } from '@nestjs/common';
import type { MicroserviceOptions, NestMicroservice } from '@nestjs/microservices';
import { FactTransport, KeepException } from './transport.js';

/**
 * Binds the `@OnFact` handlers of an app, before `app.listen()`, which starts their subscriptions. `startService` does it.
 * @param configure adds guards, pipes, interceptors and filters that are meant for all of them; those of HTTP do not apply.
 */
export function connectFacts(app: INestApplication, configure: (facts: INestMicroservice) => void = () => undefined): void {
  const strategy = app.get(FactTransport, { strict: false });
  const facts = app.connectMicroservice<MicroserviceOptions>({ strategy }, { deferInitialization: true }) as NestMicroservice;
  facts.useGlobalFilters(new KeepException()); // the first is asked last
  configure(facts);
  // What Nest does when it is not told to wait; handlers that are bound before the filters are known never meet them.
  facts.registerListeners();
  facts.setIsInitialized(true);
  facts.setIsInitHookCalled(true);
}
