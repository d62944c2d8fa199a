import { expect, test } from '@jest/globals';
import { gauge } from '#core/process/metrics.js';
import { waitersCounted } from '#core/process/telemetry.js';
import { readMetrics } from '../../../support/http/metrics.js';

test('a gauge appears with its first value, and not in a process that never sets it', async () => {
  const set = gauge('test_depth', 'A gauge of this test');
  // The gauges of an API are created where the worker and the admin find them, too.
  expect(await readMetrics()).not.toMatch(/^dropline_(test_depth|waiters) /m);
  for (const depth of [3, 4]) set(depth);
  waitersCounted(0);
  const lines = (await readMetrics()).split('\n');
  expect(lines).toEqual(expect.arrayContaining(['dropline_test_depth 4', 'dropline_waiters 0']));
});
