import { Logger as NestLogger, type LoggerService } from '@nestjs/common';
import type { Logger } from 'factline/kernel';
import pino from 'pino';
import { LogOutput } from './log-output.js';

/** JSON lines on standard output; what that does not take is dropped and counted. */
export function serviceLog(app: string, level: string): Logger {
  return pino({ level, base: { app, pid: process.pid }, timestamp: pino.stdTimeFunctions.isoTime, formatters: { level: (label) => ({ level: label }) } }, new LogOutput());
}

/** What Nest itself says, as lines of the same log. */
export function nestLogger(log: Logger): LoggerService {
  const say = (level: keyof Logger) => (message: unknown, ...rest: unknown[]) => {
    log[level]({ context: rest.at(-1), ...(message instanceof Error && { stack: message.stack }) }, message instanceof Error ? message.message : String(message));
  };
  return { log: say('debug'), error: say('error'), warn: say('warn'), debug: say('debug'), verbose: say('debug'), fatal: say('error') };
}

/** For apps that are not started by `startService`: the product's lines go to Nest's logger. */
export function throughNest(): Logger {
  const nest = new NestLogger('Factline');
  const line = (fields: object, message: string) => `${message} ${JSON.stringify(fields)}`;
  return {
    debug: (fields, message) => nest.debug(line(fields, message)),
    info: (fields, message) => nest.log(line(fields, message)),
    warn: (fields, message) => nest.warn(line(fields, message)),
    error: (fields, message) => nest.error(line(fields, message)),
  };
}
