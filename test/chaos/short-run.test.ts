import { expect, test } from '@jest/globals';
import { runBriefly } from '../support/processes/run-briefly.js';

// A short `npm run chaos`: every kind of process is killed once or twice, and the run itself is tested. How long the recoveries took is
// judged by `npm run chaos` alone, which has the machine to itself.

test('a short run of chaos breaks nothing', async () => {
  const { kills } = await runBriefly({ minutes: 0.4, cluster: false, opening: 'rush' });
  expect(Object.values(kills).reduce((sum, count) => sum + count, 0)).toBeGreaterThan(2);
});
