import { expect, test } from '@jest/globals';
import { runChaos } from './run.js';

// A short `npm run chaos -- --cluster`. Half a minute has room for a few faults of the cluster, other ones in each run.

const SEED_MAX = 2 ** 31;

test('a short run of chaos on a Redis Cluster breaks nothing', async () => {
  const seed = Math.floor(Math.random() * SEED_MAX);
  const options = { minutes: 0.5, seed, rate: 10, json: false, keep: false, cluster: true, opening: 'mixed' } as const;
  const { result, folder } = await runChaos(options, () => undefined);
  const { violations } = result;
  expect({ seed, folder: violations.length > 0 ? folder : '', violations }).toEqual({
    seed,
    folder: '',
    violations: [],
  });
  expect(result.accepted).toBeGreaterThan(0);
  expect(Object.values(result.redis ?? {}).reduce((sum, count) => sum + count, 0)).toBeGreaterThan(0);
});
