import { expect } from '@jest/globals';
import type { ChaosOptions } from '../../chaos/options.js';
import { runChaos } from '../../chaos/run.js';

const SEED_MAX = 2 ** 31;

/** Runs chaos with a seed of its own, and expects that nothing breaks. A failure names the seed, and keeps the history. */
export async function runBriefly(wishes: Pick<ChaosOptions, 'minutes' | 'cluster' | 'opening'>) {
  const seed = Math.floor(Math.random() * SEED_MAX);
  const options = { seed, rate: 10, json: false, keep: false, ...wishes };
  const { result, folder } = await runChaos(options, () => undefined);
  const { violations } = result;
  expect({ seed, folder: violations.length > 0 ? folder : '', violations }).toEqual({
    seed,
    folder: '',
    violations: [],
  });
  expect(result.accepted).toBeGreaterThan(0);
  return result;
}
