import { describe, expect, test } from '@jest/globals';
import { verifyReceipt } from '#core/identity/receipt.js';
import { recordStatus } from '#core/redis/claims/status.js';
import { keysOf } from '#core/redis/keys.js';
import { markRegistryWhole } from '#core/redis/registry.js';
import { readRunId, setSale } from '#core/redis/sale/sale.js';
import { eventually } from '../../support/eventually.js';
import { SECRET, useApi } from '../../support/http/api.js';
import { readSnapshot } from '../../support/redis/snapshot.js';

describe.each([false, true])('mounted in Express: %p', mounted => {
  const api = useApi({ mounted });

  describe('POST /buy/:saleId', () => {
    test('a new claim: 202 with unit, receipt and the pause before the next poll', async () => {
      const sale = await api.open();
      const { status, body, headers } = await api.post(`/buy/${sale.id}`, 'ann');
      expect(status).toBe(202);
      expect(body).toEqual({
        status: 'queued',
        claimId: expect.stringMatching(/^[0-9a-f-]{36}$/),
        unit: 1,
        receipt: expect.any(String),
        pollAfterMs: expect.any(Number),
      });
      expect(headers.get('content-type')).toBe('application/json');
      expect(headers.get('cache-control')).toBe('no-store');
      expect(headers.get('x-content-type-options')).toBe('nosniff');
      const receipt = verifyReceipt([SECRET], String(body.receipt), { saleId: sale.id, buyerId: 'ann' });
      expect(receipt).toMatchObject({ claimId: body.claimId, unit: 1 });
    });

    test('the winners of many turns are one job, which names their sale', async () => {
      const sale = await api.open({ units: 30 });
      for (let turn = 0; turn < 3; turn += 1) {
        await new Promise(resolve => api.ctx.claims.ask(sale.id, `turn-${turn}`, resolve));
        await api.ctx.winners.flush();
      }
      const jobs = await api.ctx.queues.of('')['place-waiting'].getJobs();
      expect(jobs.map(({ data }) => data).filter(({ saleId }) => saleId === sale.id)).toEqual([{ saleId: sale.id }]);
    });

    test('a job is queued soon after a win, and none without one', async () => {
      const [sale, closed] = [await api.open(), await api.open()];
      await setSale(api.redis, closed.id, { state: 'closed' });
      for (const { id } of [closed, sale]) await new Promise(resolve => api.ctx.claims.ask(id, 'ann', resolve));
      const queued = async () =>
        (await api.ctx.queues.of('')['place-waiting'].getJobs()).map(({ data }) => data.saleId);
      await eventually(async () => expect(await queued()).toContain(sale.id));
      expect(await queued()).not.toContain(closed.id);
    });

    test('a repeat: 200 with the same claim and its present status', async () => {
      const sale = await api.open();
      const first = await api.post(`/buy/${sale.id}`, 'ann');
      const again = await api.post(`/buy/${sale.id}`, 'ann');
      expect(again.status).toBe(200);
      expect(again.body).toMatchObject({ status: 'queued', claimId: first.body.claimId, unit: first.body.unit });
      const claimId = String(first.body.claimId);
      await recordStatus(api.redis, sale.id, [{ buyerId: 'ann', claimId, status: 'paid' }]);
      const later = await api.post(`/buy/${sale.id}`, 'ann');
      expect(later).toMatchObject({ status: 200, body: { status: 'paid', claimId, unit: 1 } });
      expect(later.body).not.toHaveProperty('receipt');
    });

    test('four clicks at once are one claim', async () => {
      const sale = await api.open();
      const answers = await Promise.all([1, 2, 3, 4].map(() => api.post(`/buy/${sale.id}`, 'ann')));
      expect(new Set(answers.map(({ body }) => body.claimId)).size).toBe(1);
      expect((await readSnapshot(api.redis, sale.id))?.stock).toHaveLength(2);
    });

    test('on standby: 202 with the position', async () => {
      const sale = await api.open({ units: 1, standbyFactor: 2 });
      await api.post(`/buy/${sale.id}`, 'ann');
      expect(await api.post(`/buy/${sale.id}`, 'bob')).toMatchObject({
        status: 202,
        body: { status: 'standby', position: 1 },
      });
      expect((await api.post(`/buy/${sale.id}`, 'cem')).body).toMatchObject({ status: 'standby', position: 2 });
      expect((await api.post(`/buy/${sale.id}`, 'bob')).body).toMatchObject({ status: 'standby', position: 1 });
      expect(await api.post(`/buy/${sale.id}`, 'dot')).toMatchObject({ status: 409, body: { code: 'sold_out' } });
    });

    test('sold out: 409, and nothing is written', async () => {
      const sale = await api.open({ units: 1 });
      await api.post(`/buy/${sale.id}`, 'ann');
      const { status, body, headers } = await api.post(`/buy/${sale.id}`, 'bob');
      expect(status).toBe(409);
      expect(headers.get('content-type')).toBe('application/problem+json');
      expect(body).toEqual({
        type: 'urn:dropline:problem:sold_out',
        title: expect.any(String),
        status: 409,
        code: 'sold_out',
      });
      expect([...((await readSnapshot(api.redis, sale.id))?.claims.keys() ?? [])]).toEqual(['ann']);
    });

    test('before it opens: 403 with opensAt and Retry-After', async () => {
      const opensAtMs = Date.now() + 60_000;
      const sale = await api.open({ opensAtMs });
      const { status, body, headers } = await api.post(`/buy/${sale.id}`, 'ann');
      expect({ status, body }).toMatchObject({
        status: 403,
        body: { code: 'not_open', opensAt: new Date(opensAtMs).toISOString() },
      });
      expect(Number(headers.get('retry-after'))).toBeGreaterThan(50);
    });

    test('paused: 403 with the reason, and a repeat is still answered', async () => {
      const sale = await api.open();
      await api.post(`/buy/${sale.id}`, 'ann');
      await setSale(api.redis, sale.id, { state: 'paused' });
      const { status, body, headers } = await api.post(`/buy/${sale.id}`, 'bob');
      expect({ status, body }).toMatchObject({ status: 403, body: { code: 'not_open', detail: 'the sale is paused' } });
      expect(Number(headers.get('retry-after'))).toBeGreaterThan(0);
      expect((await api.post(`/buy/${sale.id}`, 'ann')).status).toBe(200);
    });

    test('closed by the operator or by the clock: 410', async () => {
      const closed = await api.open({ state: 'closed' });
      const over = await api.open({ closesAtMs: Date.now() - 1 });
      for (const sale of [closed, over]) {
        expect(await api.post(`/buy/${sale.id}`, 'ann')).toMatchObject({ status: 410, body: { code: 'sale_closed' } });
      }
    });

    test('a sale that certainly does not exist: 404', async () => {
      await markRegistryWhole(api.redis, await readRunId(api.redis));
      expect(await api.post('/buy/nowhere', 'ann')).toMatchObject({ status: 404, body: { code: 'unknown_sale' } });
    });

    test('a sale that is not verified for this run of Redis: 503 with Retry-After', async () => {
      const sale = await api.open();
      await setSale(api.redis, sale.id, { runId: '' });
      const { status, body, headers } = await api.post(`/buy/${sale.id}`, 'ann');
      expect({ status, body }).toMatchObject({ status: 503, body: { code: 'unavailable' } });
      expect(Number(headers.get('retry-after'))).toBeGreaterThan(0);
    });
  });

  describe('a crowd', () => {
    test('200 buyers for 50 units: exactly 50 win, each unit once, and every claim is in the outbox of a queued sale', async () => {
      const sale = await api.open({ units: 50 });
      const buyers = Array.from({ length: 200 }, (_, i) => `crowd-${i}`);
      const answers = await Promise.all(buyers.map(buyerId => api.post(`/buy/${sale.id}`, buyerId)));
      const won = answers.filter(({ status }) => status === 202);
      expect(won.map(({ body }) => Number(body.unit)).sort((a, b) => a - b)).toEqual(
        Array.from({ length: 50 }, (_, i) => i + 1),
      );
      expect(answers.filter(({ status }) => status === 409)).toHaveLength(150);
      const waiting = await api.redis.zrange(keysOf(sale.id).outbox, '0', '-1');
      expect(new Set(waiting)).toEqual(new Set(buyers.filter((_, i) => answers[i]?.status === 202)));
      await eventually(async () => {
        const jobs = await api.ctx.queues.of('')['place-waiting'].getJobs();
        expect(jobs.filter(job => job.data.saleId === sale.id)).toHaveLength(1);
      });
    });
  });
});
