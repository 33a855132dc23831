import type { ExecutionContext } from '@nestjs/common';

/** Which files a route takes. */
export interface FileChoice {
  /** `application/pdf`, without parameters. */
  readonly mediaTypes: readonly string[];
  /** Largest file. */
  readonly bytes: number;
}

export const TAKES_FILE = 'factline takes file';

/** Of the route that is about to be called; undefined: it takes JSON. */
export function fileChoiceOf(context: ExecutionContext): FileChoice | undefined {
  return Reflect.getMetadata(TAKES_FILE, context.getHandler()) as FileChoice | undefined;
}
