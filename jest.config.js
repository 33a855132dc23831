const swc = {
  jsc: {
    target: 'es2023',
    parser: { syntax: 'typescript', decorators: true },
    transform: { legacyDecorator: true, decoratorMetadata: true },
  },
  module: { type: 'es6' },
  sourceMaps: 'inline',
};

/** Tiers are in the file names: `*.unit.spec.ts` (no I/O), `*.int.spec.ts` (real stack), `*.e2e.spec.ts` (whole apps, from dist), `*.faults.spec.ts` (a fault each). */
export default {
  rootDir: '.',
  testEnvironment: 'node',
  testMatch: ['<rootDir>/{libs,apps,e2e}/**/*.spec.ts'],
  extensionsToTreatAsEsm: ['.ts'],
  transform: { '^.+\\.ts$': ['@swc/jest', swc] },
  moduleNameMapper: {
    '^factline/(kernel|tracing|contracts|log|store|outbox|consumer|admission|projections|reactions|cache|commands|nest|stack|testing)$': '<rootDir>/libs/$1/src/index.ts',
    '^factline/contracts/(check|lock|evolve|catalogue)$': '<rootDir>/libs/contracts/src/$1/index.ts',
    '^factline/nest/(reactions|caches|commands|admission|files)$': '<rootDir>/libs/nest/src/$1/index.ts',
    '^factline/testing/simulation$': '<rootDir>/libs/testing/src/simulation/index.ts',
    '^(\\.{1,2}/.*)\\.js$': '$1',
  },
  modulePathIgnorePatterns: ['<rootDir>/dist', '<rootDir>/.factline'],
  testTimeout: 120_000,
};
