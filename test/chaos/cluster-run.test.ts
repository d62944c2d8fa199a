import { expect, test } from '@jest/globals';
import { runBriefly } from '../support/processes/run-briefly.js';

// A short `npm run chaos -- --cluster`. Half a minute has room for a few faults of the cluster, other ones in each run.

test('a short run of chaos on a Redis Cluster breaks nothing', async () => {
  const { redis } = await runBriefly({ minutes: 0.5, cluster: true, opening: 'mixed' });
  expect(Object.values(redis ?? {}).reduce((sum, count) => sum + count, 0)).toBeGreaterThan(0);
});
