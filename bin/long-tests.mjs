/** Patterns of tests that take minutes. Neither `npm test` runs them, nor does a mutant meet them (test/mutants). */
export const TESTS_OF_MINUTES = [
  'chaos/(cluster-run|failover|links|paused-worker|postgres-away)',
  'edge/floods',
  'stores/(cluster/(half-down|rush)|full-redis|postgres-crowd|postgres-standby|sentinel-failover)',
];

/**
 * Patterns of all tests that `npm test` leaves out. `npm run test:chaos`, `test:e2e`, `test:edge`, `test:integration`, `test:stores` and
 * `test:upgrade` run them.
 */
export const LONG_TESTS = [
  ...TESTS_OF_MINUTES,
  'chaos/redis-loss',
  'e2e/(crowd|express-shop|kill|programs|rehearse)',
  'integration/(clocks/other-clocks|verdicts/wrong-controls)',
  'stores/(cluster/(lock-crashes|move-in)|postgres-pooler|postgres-start|postgres-tls|promotion/two-primaries|start|tls)',
  'upgrade/(long-run|tables)',
];
