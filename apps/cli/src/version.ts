import { createRequire } from 'node:module';

/** Of the package that this file is part of, built or not. */
export const { version } = createRequire(import.meta.url)('factline/package.json') as { version: string };
