import { afterEach, beforeEach, expect, test } from '@jest/globals';
import { QuickClicks } from '../../../apps/api/limits/quick-clicks.js';
import { readMetric } from '../../support/http/metrics.js';

let clicks: QuickClicks;
let before: number[];

async function counted(): Promise<number[]> {
  clicks.report();
  return Promise.all(['opening', 'repeat'].map(after => readMetric(`dropline_quick_clicks_total{after="${after}"}`)));
}

const more = async () => (await counted()).map((count, i) => count - (before[i] ?? 0));

beforeEach(async () => {
  clicks = new QuickClicks();
  before = await counted();
});
afterEach(() => clicks.close());

test('a click within 100 ms after the buyer’s last one counts, and another buyer’s does not', async () => {
  for (const nowMs of [1_000, 1_099, 1_198, 1_298]) clicks.clicked('ann', nowMs);
  clicks.clicked('bea', 1_299);
  expect(await more()).toEqual([0, 2]);
});

test('clicks that a sale served within 150 ms after its opening count', async () => {
  for (const sinceOpeningMs of [0, 149, 150, 9_000]) clicks.served(3, sinceOpeningMs);
  expect(await more()).toEqual([6, 0]);
});
