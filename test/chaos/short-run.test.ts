import { expect, test } from '@jest/globals';
import { missedBy, runChaos } from './run.js';

// `npm run chaos` for a moment: enough to see that nothing is lost when everything is killed once or twice, and that the run
// itself works. A seed of its own each time; a failure says which, and keeps the history.

const SEED_MAX = 2 ** 31;

test('a short run of chaos breaks nothing', async () => {
  const seed = Math.floor(Math.random() * SEED_MAX);
  const options = { minutes: 0.4, seed, rate: 10, json: false, keep: false };
  const { result, folder } = await runChaos(options, () => undefined);
  const { violations } = result;
  expect({ seed, folder: violations.length > 0 ? folder : '', violations }).toEqual({
    seed,
    folder: '',
    violations: [],
  });
  expect(missedBy(result)).toEqual([]);
  expect(result.accepted).toBeGreaterThan(0);
  expect(Object.values(result.kills).reduce((sum, kills) => sum + kills, 0)).toBeGreaterThan(2);
}, 180_000);
