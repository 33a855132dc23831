import { WATERMARK_TOPIC } from 'factline/contracts';
import { type Logger, messageOf, silentLogger } from 'factline/kernel';
import type { FactLog } from 'factline/log';
import type { Freshness } from './freshness.js';
import { WATERMARKS_READ_BACK } from './limits.js';

/** Keeps freshness informed until aborted; a broker that does not answer only lets the as-of time stand still. `told` after each batch. */
export async function followWatermarks(log: FactLog, freshness: Freshness, abort: AbortSignal, logger: Logger = silentLogger, told: () => void = () => undefined): Promise<void> {
  await log.follow({
    topic: WATERMARK_TOPIC,
    partition: 0,
    from: { beforeEnd: WATERMARKS_READ_BACK },
    batch: (batch) => {
      if (!freshness.observe(batch)) logger.warn({ topic: WATERMARK_TOPIC }, 'a record that is no watermark was passed over');
      told();
    },
    disturbed: (error) => logger.debug({ error: messageOf(error) }, 'watermarks do not arrive'),
    abort,
  });
}
