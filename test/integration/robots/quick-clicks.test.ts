import { expect, test } from '@jest/globals';
import { eventually } from '../../support/eventually.js';
import { useApi } from '../../support/http/api.js';
import { readMetric } from '../../support/http/metrics.js';

// An API counts clicks that come quicker than a hand. On a busy machine a click may come late, so a test clicks until one is quick.

const api = useApi();

const counted = (after: string) => {
  api.ctx.quickClicks.report();
  return readMetric(`dropline_quick_clicks_total{after="${after}"}`);
};

test('a click just after the opening of its sale counts, and one long after it does not', async () => {
  const before = await counted('opening');
  const old = await api.open();
  await api.post(`/buy/${old.id}`, 'ann');
  expect(await counted('opening')).toBe(before);
  await eventually(async () => {
    const sale = await api.open({ opensAtMs: Date.now() });
    await api.post(`/buy/${sale.id}`, 'ann');
    expect(await counted('opening')).toBeGreaterThan(before);
  });
});

test('two clicks of a buyer at once count as one repeat', async () => {
  const before = await counted('repeat');
  const sale = await api.open();
  await eventually(async () => {
    await Promise.all([api.post(`/buy/${sale.id}`, 'bea'), api.post(`/buy/${sale.id}`, 'bea')]);
    expect(await counted('repeat')).toBeGreaterThan(before);
  });
});
