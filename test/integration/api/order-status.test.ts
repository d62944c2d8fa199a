import { randomUUID } from 'node:crypto';
import { describe, expect, test } from '@jest/globals';
import { signReceipt } from '#core/identity/receipt.js';
import { setPayUrl } from '#core/redis/claims/pay-url.js';
import { release } from '#core/redis/claims/release.js';
import { restoreClaim } from '#core/redis/claims/restore.js';
import { recordStatus } from '#core/redis/claims/status.js';
import { prefixOf } from '#core/redis/keys.js';
import { setSale } from '#core/redis/sale/sale.js';
import type { Sale } from '#core/rules/sale.js';
import { eventually } from '../../support/eventually.js';
import { bearer, SECRET, useApi } from '../../support/http/api.js';
import { readSnapshot } from '../../support/redis/snapshot.js';

describe.each([false, true])('mounted in Express: %p', mounted => {
  const api = useApi({ mounted });

  const statusOf = async (sale: Sale, buyerId: string, receipt?: string) => {
    const query = receipt === undefined ? '' : `?receipt=${encodeURIComponent(receipt)}`;
    return (await api.get(`/order-status/${sale.id}${query}`, buyerId)).body;
  };

  const buy = async (sale: Sale, buyerId: string) => {
    const { body } = await api.post(`/buy/${sale.id}`, buyerId);
    return { claimId: String(body.claimId), unit: Number(body.unit), receipt: String(body.receipt) };
  };

  describe('GET /order-status/:saleId', () => {
    test('is none for a buyer who never bought', async () => {
      const sale = await api.open();
      const answer = await api.get(`/order-status/${sale.id}`, 'ann');
      expect(answer).toMatchObject({ status: 200, body: { status: 'none' } });
      expect(answer.body).toEqual({ status: 'none' });
      expect(answer.headers.get('cache-control')).toBe('no-store');
    });

    test('has the fields of a claim in each status', async () => {
      const sale = await api.open();
      const { claimId, unit, receipt } = await buy(sale, 'ann');
      const base = { claimId, unit, amountMinor: sale.priceMinor, currency: 'EUR', currencyDigits: 2 };
      const queued = { status: 'queued', ...base, pollAfterMs: expect.any(Number) };
      expect(await statusOf(sale, 'ann', receipt)).toEqual(queued);
      expect(await statusOf(sale, 'ann')).toEqual({ ...queued, receipt });

      const payByMs = Date.now() + 60_000;
      const pending = { buyerId: 'ann', claimId, status: 'pending_payment' as const, payByMs };
      await recordStatus(api.redis, sale.id, [{ ...pending, reason: 'insufficient_funds' }]);
      expect(await statusOf(sale, 'ann')).toEqual({
        status: 'pending_payment',
        ...base,
        payBy: new Date(payByMs).toISOString(),
        reason: 'insufficient_funds',
        pollAfterMs: expect.any(Number),
      });

      await recordStatus(api.redis, sale.id, [{ buyerId: 'ann', claimId, status: 'paid' }]);
      expect(await statusOf(sale, 'ann')).toEqual({ status: 'paid', ...base });

      const ended = { buyerId: 'ann', claimId, status: 'refunded' as const, reason: 'cancelled_by_buyer' as const };
      await release(api.redis, sale.id, [{ ...ended, freesUnit: true }]);
      expect(await statusOf(sale, 'ann')).toEqual({ status: 'refunded', ...base, reason: 'cancelled_by_buyer' });
    });

    test.each([
      ['cancelled', 'unpaid'],
      ['rejected', 'insufficient_funds'],
    ] as const)('is %s with its reason, and the buyer may buy again', async (status, reason) => {
      const sale = await api.open();
      const { claimId } = await buy(sale, 'ann');
      await release(api.redis, sale.id, [{ buyerId: 'ann', claimId, status, reason, freesUnit: true }]);
      const body = await statusOf(sale, 'ann');
      expect(body).toMatchObject({ status, reason, claimId });
      expect(body).not.toHaveProperty('pollAfterMs');
      expect((await buy(sale, 'ann')).claimId).not.toBe(claimId);
    });

    test('is standby with the position, and polls less often than an order', async () => {
      const sale = await api.open({ units: 1, standbyFactor: 2 });
      await buy(sale, 'ann');
      await buy(sale, 'bob');
      const body = await statusOf(sale, 'bob');
      expect(body).toEqual({ status: 'standby', position: 1, pollAfterMs: expect.any(Number) });
      const delays = await Promise.all(Array.from({ length: 20 }, () => statusOf(sale, 'bob')));
      expect(new Set(delays.map(({ pollAfterMs }) => pollAfterMs)).size).toBeGreaterThan(1);
      const own = await statusOf(sale, 'ann');
      expect(Number(body.pollAfterMs)).toBeGreaterThan(Number(own.pollAfterMs));
    });

    test('is closed only for buyers who were on standby when the sale closed', async () => {
      const sale = await api.open({ units: 1, standbyFactor: 2 });
      await buy(sale, 'ann');
      await buy(sale, 'bob');
      await setSale(api.redis, sale.id, { state: 'closed' });
      await eventually(async () => expect(await statusOf(sale, 'bob')).toEqual({ status: 'closed' }));
      expect(await statusOf(sale, 'ann')).toMatchObject({ status: 'queued' });
      expect(await statusOf(sale, 'cem')).toEqual({ status: 'none' });
    });

    test('is the own one for each of 100 buyers at once', async () => {
      const sale = await api.open({ units: 50 });
      const buyers = Array.from({ length: 100 }, (_, i) => `many-${i}`);
      const units = await Promise.all(buyers.map(async buyerId => (await buy(sale, buyerId)).unit));
      const seen = await Promise.all(buyers.map(async buyerId => (await statusOf(sale, buyerId)).unit));
      expect(seen.map(unit => unit ?? Number.NaN)).toEqual(units);
    });
  });

  describe('an entity tag', () => {
    const ask = (sale: Sale, buyerId: string, etag?: string | null) =>
      api.send(`/order-status/${sale.id}`, {
        headers: { ...bearer(buyerId), ...(etag ? { 'if-none-match': etag } : {}) },
      });

    const tagOf = async (sale: Sale, buyerId: string) => {
      const { headers } = await ask(sale, buyerId);
      expect(headers.get('etag')).toMatch(/^W\/"[\x21\x23-\x7e]+"$/);
      return headers.get('etag');
    };

    /** A tag also depends on the slowdown, which may change between two polls. */
    const fittingTag = (sale: Sale, buyerId: string) =>
      eventually(async () => {
        const etag = await tagOf(sale, buyerId);
        expect(await ask(sale, buyerId, etag)).toMatchObject({ status: 304, body: {} });
        expect((await ask(sale, buyerId, `"other", ${etag}`)).status).toBe(304);
        return etag;
      });

    test('that still fits gets 304 without a body, and a stale one the whole answer', async () => {
      const sale = await api.open();
      const { claimId } = await buy(sale, 'ann');
      const queued = await fittingTag(sale, 'ann');
      await recordStatus(api.redis, sale.id, [{ buyerId: 'ann', claimId, status: 'paid' }]);
      expect(await ask(sale, 'ann', queued)).toMatchObject({ status: 200, body: { status: 'paid' } });
    });

    test('covers the address of the payment page', async () => {
      const sale = await api.open({ provider: 'signed-webhook' });
      const { claimId } = await buy(sale, 'ann');
      const payByMs = Date.now() + 60_000;
      await recordStatus(api.redis, sale.id, [{ buyerId: 'ann', claimId, status: 'pending_payment', payByMs }]);
      const pending = await fittingTag(sale, 'ann');
      const paymentUrl = 'https://pay.example/1';
      await setPayUrl(api.redis, sale.id, { claimId, payUrl: paymentUrl });
      expect(await ask(sale, 'ann', pending)).toMatchObject({ status: 200, body: { paymentUrl } });
    });

    test('differs for each status, position, deadline and reason', async () => {
      const sale = await api.open({ units: 1, standbyFactor: 2 });
      const { claimId } = await buy(sale, 'ann');
      await buy(sale, 'bob');
      await buy(sale, 'cem');
      const tags = [
        await tagOf(sale, 'ann'),
        await tagOf(sale, 'bob'),
        await tagOf(sale, 'cem'),
        await tagOf(sale, 'dan'),
      ];
      const pending = { buyerId: 'ann', claimId, status: 'pending_payment', payByMs: Date.now() + 60_000 } as const;
      expect(new Set(tags).size).toBe(tags.length);
      for (const reason of [null, 'insufficient_funds']) {
        await recordStatus(api.redis, sale.id, [{ ...pending, reason }]);
        // The sale in the API's memory is up to a second old.
        await eventually(async () => expect(tags).not.toContain(await tagOf(sale, 'ann')));
        tags.push(await tagOf(sale, 'ann'));
      }
    });
  });

  describe('a receipt', () => {
    /** Loses a claim like a Redis that lost its last second. The sale is there and verified, the claim is not. */
    const lose = async (sale: Sale, buyerId: string, unit: number) => {
      await api.redis.hdel(`${prefixOf(sale.id)}:claims`, buyerId);
      await api.redis.zrem(`${prefixOf(sale.id)}:outbox`, buyerId);
      await api.redis.rpush(`${prefixOf(sale.id)}:stock`, unit);
    };

    /** Takes the job `place-waiting` of a sale out of its queue, as soon as it is there. */
    const takeJob = (sale: Sale) =>
      eventually(async () => {
        const jobs = await api.ctx.queues.of('')['place-waiting'].getJobs(['waiting']);
        const [job, ...more] = jobs.filter(({ data }) => data.saleId === sale.id);
        expect([job?.data, more]).toEqual([{ saleId: sale.id }, []]);
        await job?.remove();
      });

    test('of a present claim changes nothing', async () => {
      const sale = await api.open();
      const { receipt, claimId } = await buy(sale, 'ann');
      expect(await statusOf(sale, 'ann', receipt)).toMatchObject({ status: 'queued', claimId });
    });

    test('of a lost claim restores the claim once and queues it', async () => {
      const sale = await api.open();
      const { receipt, claimId, unit } = await buy(sale, 'ann');
      await lose(sale, 'ann', unit);
      expect(await statusOf(sale, 'ann')).toEqual({ status: 'none' });
      await takeJob(sale);
      const answers = await Promise.all([1, 2, 3].map(() => statusOf(sale, 'ann', receipt)));
      for (const answer of answers) expect(answer).toMatchObject({ status: 'queued', claimId, unit });
      await takeJob(sale);
      const snapshot = await readSnapshot(api.redis, sale.id);
      expect(snapshot?.stock).not.toContain(unit);
      expect([...(snapshot?.outbox.keys() ?? [])]).toEqual(['ann']);
    });

    test('a claim whose unit is taken is answered `queued` until the worker has decided', async () => {
      const sale = await api.open({ units: 1 });
      const { receipt, claimId, unit } = await buy(sale, 'ann');
      await lose(sale, 'ann', unit);
      await buy(sale, 'bob');
      for (const _ of [1, 2, 3]) {
        expect(await statusOf(sale, 'ann', receipt)).toMatchObject({ status: 'queued', claimId, unit });
      }
      const jobs = await api.ctx.queues.of('')['settle-receipt'].getJobs(['waiting']);
      const ofSale = jobs.map(job => job.data).filter(data => data.saleId === sale.id);
      expect(ofSale).toEqual([{ saleId: sale.id, claimId, buyerId: 'ann', unit }]);
      await restoreClaim(api.redis, sale.id, { buyerId: 'ann', claimId, unit, status: 'rejected', reason: 'lost' });
      expect(await statusOf(sale, 'ann', receipt)).toMatchObject({ status: 'rejected', claimId, unit, reason: 'lost' });
    });

    test('of a buyer who has bought again is answered with the new claim', async () => {
      const sale = await api.open();
      const lost = await buy(sale, 'ann');
      await lose(sale, 'ann', lost.unit);
      const { claimId } = await buy(sale, 'ann');
      expect(await statusOf(sale, 'ann', lost.receipt)).toMatchObject({ status: 'queued', claimId });
    });

    test('of a claim that ended before a later one restores nothing', async () => {
      const sale = await api.open();
      const claims = [];
      for (const _ of ['first', 'second']) {
        const claim = await buy(sale, 'ann');
        claims.push(claim);
        const { claimId } = claim;
        const ended = { status: 'cancelled', reason: 'cancelled_by_buyer', freesUnit: true } as const;
        await release(api.redis, sale.id, [{ buyerId: 'ann', claimId, ...ended }]);
      }
      const [first, second] = claims;
      const before = await readSnapshot(api.redis, sale.id);
      expect(await statusOf(sale, 'ann', first?.receipt)).toMatchObject({
        status: 'cancelled',
        claimId: second?.claimId,
      });
      expect((await readSnapshot(api.redis, sale.id))?.stock).toEqual(before?.stock);
    });

    test('of a buyer who is on standby again is answered with standby', async () => {
      const sale = await api.open({ units: 1, standbyFactor: 1 });
      const { receipt, unit } = await buy(sale, 'ann');
      await lose(sale, 'ann', unit);
      await buy(sale, 'bob');
      await api.post(`/buy/${sale.id}`, 'ann');
      expect(await statusOf(sale, 'ann', receipt)).toMatchObject({ status: 'standby', position: 1 });
    });

    test('of a claim that ended before a later one restores nothing for a buyer on standby', async () => {
      const sale = await api.open({ units: 1, standbyFactor: 1 });
      const ended = { status: 'cancelled', reason: 'cancelled_by_buyer', freesUnit: false } as const;
      const first = await buy(sale, 'ann');
      await release(api.redis, sale.id, [{ buyerId: 'ann', claimId: first.claimId, ...ended, freesUnit: true }]);
      const second = await buy(sale, 'ann');
      await release(api.redis, sale.id, [{ buyerId: 'ann', claimId: second.claimId, ...ended }]);
      await buy(sale, 'ann');
      await api.redis.rpush(`${prefixOf(sale.id)}:stock`, 1);
      expect(await statusOf(sale, 'ann', first.receipt)).toMatchObject({ status: 'standby', position: 1 });
      expect((await readSnapshot(api.redis, sale.id))?.stock).toEqual([1]);
    });

    test('that is forged, of another buyer, of another sale or no receipt at all restores nothing', async () => {
      const sale = await api.open();
      const other = await api.open();
      const claim = { claimId: randomUUID(), unit: 1, wonAtMs: Date.now() };
      const own = { ...claim, saleId: sale.id, buyerId: 'ann' };
      const wrong = [
        ['signed by another secret', signReceipt('another secret of 32 characters..', own)],
        ['of another buyer', signReceipt(SECRET, { ...own, buyerId: 'bob' })],
        ['of another sale', signReceipt(SECRET, { ...own, saleId: other.id })],
        ['changed', signReceipt(SECRET, own).replace('.1.', '.2.')],
        ['nonsense', 'nonsense'],
        ['none', ''],
      ] as const;
      const answers = await Promise.all(
        wrong.map(async ([name, receipt]) => [name, await statusOf(sale, 'ann', receipt)]),
      );
      expect(answers).toEqual(wrong.map(([name]) => [name, { status: 'none' }]));
      expect((await readSnapshot(api.redis, sale.id))?.stock).toHaveLength(3);
    });

    test.each([`receipt=${'x'.repeat(201)}`, 'receipt=a&receipt=b'])('of an invalid form (%p): 400', async query => {
      const sale = await api.open();
      expect(await api.get(`/order-status/${sale.id}?${query}`, 'ann')).toMatchObject({
        status: 400,
        body: { code: 'invalid_request' },
      });
    });
  });
});
