import { FactlineError } from 'factline/kernel';
import { LOADS_WAITING } from './limits.js';

export function loadTimeout(cache: string, timeoutMs: number): FactlineError {
  return new FactlineError({
    code: 'cache.load-timeout',
    kind: 'unavailable',
    message: `A load of the cache '${cache}' had no result within ${timeoutMs} ms, waiting for its turn included.`,
    advice: 'Ask again; if it stays, look at what the load reads, or allow more concurrentLoads.',
    details: { cache },
  });
}

export function crowded(cache: string): FactlineError {
  return new FactlineError({
    code: 'cache.crowded',
    kind: 'unavailable',
    message: `${LOADS_WAITING} loads of the cache '${cache}' are waiting already.`,
    advice: 'Ask again later; what is cached is still answered.',
    details: { cache },
  });
}

export function staleAnswer(cache: string, asOfMs: number | null): FactlineError {
  return new FactlineError({
    code: 'cache.stale',
    kind: 'unavailable',
    message: `The cache '${cache}' knows nothing newer than ${asOfMs === null ? 'an unknown time' : new Date(asOfMs).toISOString()}, and is declared to fail then.`,
    advice: "Look at the producer's relay and at the broker: their watermarks do not arrive. whenStale: 'serve-with-age' answers with the age instead.",
    details: { cache, asOfMs },
  });
}

export function optionsWrong(cache: string, faults: readonly string[]): FactlineError {
  return new FactlineError({
    code: 'cache.options',
    kind: 'configuration',
    message: `The options of the cache '${cache}' cannot be used: ${faults.join('; ')}.`,
    advice: 'Correct them where the cache is made.',
    details: { cache, faults },
  });
}
