const SECOND_MS = 1_000;

// One transform for everything: swc strips the types, jest runs the sources as ES modules.
const transform = {
  '^.+\\.ts$': [
    '@swc/jest',
    {
      jsc: { parser: { syntax: 'typescript' }, target: 'es2023' },
      module: { type: 'es6' },
      sourceMaps: 'inline',
    },
  ],
};

/** One kind of test = one folder under test/ = one jest project. */
const project = (kind, timeoutMs, more = {}) => ({
  ...more,
  displayName: kind,
  rootDir: import.meta.dirname,
  // Jest's own place is a folder beside those of the tests, and stays there.
  cacheDirectory: '<rootDir>/node_modules/.cache/jest',
  testMatch: [`<rootDir>/test/${kind}/**/*.test.ts`],
  testTimeout: timeoutMs,
  testEnvironment: 'node',
  // `source` makes `#core/*` (package.json "imports") mean core/*.ts rather than dist/core/*.js.
  testEnvironmentOptions: { customExportConditions: ['source', 'node', 'node-addons'] },
  extensionsToTreatAsEsm: ['.ts'],
  transform,
  // Our imports end in .js, as Node wants them. A package's own .js comes first, ours only exists as .ts.
  moduleNameMapper: { '^(\\.{1,2}/.*)\\.js$': ['$1.js', '$1.ts'] },
  modulePathIgnorePatterns: ['<rootDir>/dist/', '<rootDir>/.data/'],
});

export default {
  // Jest 30.5 passes over the time-outs of the projects: this one, for the longest of them, holds for all.
  testTimeout: 300 * SECOND_MS,
  testSequencer: '<rootDir>/test/longest-first.mjs',
  projects: [
    project('unit', 10 * SECOND_MS),
    // Real stores answer in milliseconds; starting a private Redis on a busy machine does not.
    project('integration', 60 * SECOND_MS, {
      globalSetup: '<rootDir>/test/support/stores/start-shared-postgres.mjs',
      globalTeardown: '<rootDir>/test/support/stores/stop-shared-postgres.mjs',
    }),
    project('e2e', 120 * SECOND_MS),
    project('attack', 120 * SECOND_MS),
    project('edge', 120 * SECOND_MS),
    project('browser', 120 * SECOND_MS),
    project('chaos', 300 * SECOND_MS),
    project('upgrade', 600 * SECOND_MS),
    project('stores', 120 * SECOND_MS),
  ],
};
