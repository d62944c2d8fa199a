import { describe, expect, test } from '@jest/globals';
import { release } from '#core/redis/claims/release.js';
import { recordStatus } from '#core/redis/claims/status.js';
import { markRegistryWhole } from '#core/redis/registry.js';
import { openSale } from '#core/redis/sale/open-sale.js';
import { readRunId, setSale } from '#core/redis/sale/sale.js';
import { eventually } from '../../support/eventually.js';
import { bearer, PLACED, useApi } from '../../support/http/api.js';
import { streamOf } from '../../support/http/stream.js';

const api = useApi();

// Node's answer ends with the head of a stream on a connection that is kept (apps/api/waiting/output.ts).
describe.each([
  ['that is kept', 'keep-alive'],
  ['that is closed afterwards', 'close'],
])('an event stream on a connection %s', (_, connection) => {
  test('sends an event for each change and ends after the final one', async () => {
    const sale = await api.open();
    const claim = await api.win(sale, 'ann');
    const stream = api.stream(sale, 'ann', { connection });
    await eventually(() => expect(stream.events()).toMatchObject([{ status: 'queued' }]));
    await recordStatus(api.redis, sale.id, [{ ...claim, ...PLACED }]);
    await eventually(() => expect(stream.events()).toHaveLength(2));
    await release(api.redis, sale.id, [{ ...claim, status: 'cancelled', reason: 'unpaid', freesUnit: true }]);
    await eventually(() => expect(stream.seen.ended).toBe(true));
    expect(stream.events().map(({ status }) => status)).toEqual(['queued', 'pending_payment', 'cancelled']);
    expect(stream.seen.text).toContain('id: final\n');
  });

  test('answers 204 to a client that has its final event', async () => {
    const sale = await api.open();
    const stream = api.stream(sale, 'ann', { connection, 'last-event-id': 'final' });
    await eventually(() => expect(stream.seen).toMatchObject({ status: 204, ended: true }));
  });

  test('restores a claim that Redis lost from the receipt of its buyer', async () => {
    const sale = await api.open();
    const { body } = await api.post(`/buy/${sale.id}`, 'ann');
    await api.redis.flushall();
    await openSale(api.redis, sale);
    const url = `${api.url}/order-status/${sale.id}?receipt=${body.receipt}`;
    const stream = streamOf(url, { ...bearer('ann'), connection });
    await eventually(() => expect(stream.events()).toMatchObject([{ status: 'queued', claimId: body.claimId }]));
    stream.destroy();
  });

  test('ends when the client disconnects', async () => {
    const sale = await api.open();
    await api.win(sale, 'ann');
    const stream = api.stream(sale, 'ann', { connection });
    await eventually(() => expect(api.ctx.waiters.count()).toBe(1));
    stream.destroy();
    await eventually(() => expect(api.ctx.waiters.count()).toBe(0));
  });

  test('answers lasting errors as problems', async () => {
    const sale = await api.open();
    const stream = { accept: 'text/event-stream' };
    const anonymous = await api.send(`/order-status/${sale.id}`, { headers: stream });
    expect(anonymous).toMatchObject({ status: 401, body: { code: 'unauthenticated' } });
    await markRegistryWhole(api.redis, await readRunId(api.redis));
    const unknown = await api.send('/order-status/nowhere', { headers: { ...bearer('ann'), ...stream } });
    expect(unknown).toMatchObject({ status: 404, body: { code: 'unknown_sale' } });
    const malformed = await api.send('/order-status/no%20where', { headers: { ...bearer('ann'), ...stream } });
    expect(malformed).toMatchObject({ status: 400, body: { code: 'invalid_request' } });
  });

  test('answers a passing trouble with an empty stream that says when to come back, also in its middle', async () => {
    const sale = await api.open();
    await api.win(sale, 'ann');
    const before = api.stream(sale, 'ann', { connection });
    await eventually(() => expect(before.events()).toHaveLength(1));
    await setSale(api.redis, sale.id, { runId: '' });
    await eventually(() => expect(before.seen.ended).toBe(true));
    const during = api.stream(sale, 'ann', { connection });
    await eventually(() => expect(during.seen).toMatchObject({ status: 200, ended: true }));
    expect(during.seen.text).toMatch(/^retry: [234]\d{3}\n\n$/);
    expect(before.seen.text).toMatch(/\n\nretry: [234]\d{3}\n\n$/);
  });
});
