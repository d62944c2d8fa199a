import { expect, test } from '@jest/globals';
import { runFuzz } from '../fuzz/run.js';

/** A short run; `npm run fuzz` sends 50,000 inputs with another seed each time. */
const OPTIONS = { seed: 12, inputs: 1_500, minutes: 1, json: false };

test('1,500 odd inputs at nginx, an API and the admin: each gets an answer of ours, and honest people are served', async () => {
  const { inputs, honest, findings } = await runFuzz(OPTIONS, () => undefined);
  expect(findings).toEqual([]);
  expect(inputs).toBe(OPTIONS.inputs);
  expect(honest.sent).toBeGreaterThan(0);
});
