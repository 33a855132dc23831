import { FactlineError } from 'factline/kernel';

/** The work, or `registry.unavailable` after so many milliseconds; the work itself goes on and its result is dropped. */
export async function within<T>(work: Promise<T>, ms: number): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_resolve, reject) => {
    timer = setTimeout(() => {
      reject(new FactlineError({ code: 'registry.unavailable', kind: 'unavailable', message: `The schema registry did not answer within ${ms} ms.`, advice: 'Check the registry and the network to it; the call may be repeated.' }));
    }, ms);
  });
  try {
    return await Promise.race([work, late]);
  } finally {
    clearTimeout(timer);
  }
}
