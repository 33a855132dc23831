/** What the libraries log through; pino has this shape. Fields first, so that machines can read them; never a secret or a personal value. */
export interface Logger {
  debug(fields: object, message: string): void;
  info(fields: object, message: string): void;
  warn(fields: object, message: string): void;
  error(fields: object, message: string): void;
}

export const silentLogger: Logger = { debug: nothing, info: nothing, warn: nothing, error: nothing };

function nothing(): void {
  // a logger that is not wanted
}
