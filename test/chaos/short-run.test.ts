import { expect, test } from '@jest/globals';
import { runChaos } from './run.js';

// A short `npm run chaos`: every kind of process is killed once or twice, and the run itself is tested. Each run has a seed of its
// own. A failure names the seed, and keeps the history. How long the recoveries took is judged by `npm run chaos` alone, which has the
// machine to itself.

const SEED_MAX = 2 ** 31;

test('a short run of chaos breaks nothing', async () => {
  const seed = Math.floor(Math.random() * SEED_MAX);
  const options = { minutes: 0.4, seed, rate: 10, json: false, keep: false, cluster: false, opening: 'rush' } as const;
  const { result, folder } = await runChaos(options, () => undefined);
  const { violations } = result;
  expect({ seed, folder: violations.length > 0 ? folder : '', violations }).toEqual({
    seed,
    folder: '',
    violations: [],
  });
  expect(result.accepted).toBeGreaterThan(0);
  expect(Object.values(result.kills).reduce((sum, kills) => sum + kills, 0)).toBeGreaterThan(2);
});
