import { expect, test } from '@jest/globals';
import { release } from '#core/redis/claims/release.js';
import { keysOf } from '#core/redis/keys.js';
import { useApi } from '../../support/http/api.js';
import { loseClaim } from '../../support/stores/by-hand.js';

// A failover may take a claim that was just accepted, and leave what Redis knew of its buyer before.

const api = useApi();

test('a receipt brings a lost claim back, also that of a buyer whose earlier claim has ended', async () => {
  const sale = await api.open();
  const { claims } = keysOf(sale.id);
  const earlier = await api.win(sale, 'ann');
  const end = { status: 'cancelled', reason: 'cancelled_by_buyer', freesUnit: true } as const;
  await release(api.redis, sale.id, [{ ...earlier, ...end }]);
  const ended = String(await api.redis.hget(claims, 'ann'));

  const { body } = await api.post(`/buy/${sale.id}`, 'ann');
  const lost = { buyerId: 'ann', claimId: String(body.claimId), unit: Number(body.unit) };
  await loseClaim(api, sale.id, lost);
  await api.redis.hset(claims, 'ann', ended);

  // The API remembers the sale for a second. Then a poll reads only the status of its buyer.
  const path = `/order-status/${sale.id}`;
  expect((await api.get(path, 'ann')).body).toMatchObject({ status: 'cancelled', claimId: earlier.claimId });
  expect((await api.get(`${path}?receipt=${body.receipt}`, 'ann')).body).toMatchObject({
    status: 'queued',
    claimId: lost.claimId,
    unit: lost.unit,
  });
  expect(await api.redis.hget(claims, 'ann')).toContain(lost.claimId);
});

test('a buyer who was promoted from standby has a receipt of the claim, which brings it back', async () => {
  const sale = await api.open({ units: 1, standbyFactor: 1 });
  const path = `/order-status/${sale.id}`;
  const first = await api.win(sale, 'ann');
  expect((await api.post(`/buy/${sale.id}`, 'bob')).body).toMatchObject({ status: 'standby' });
  const end = { status: 'cancelled', reason: 'cancelled_by_buyer', freesUnit: true } as const;
  await release(api.redis, sale.id, [{ ...first, ...end }]);

  const { body } = await api.get(path, 'bob');
  expect(body).toMatchObject({ status: 'queued', unit: first.unit, receipt: expect.any(String) });
  const lost = { buyerId: 'bob', claimId: String(body.claimId), unit: first.unit };
  await loseClaim(api, sale.id, lost);

  expect((await api.get(path, 'bob')).body).toEqual({ status: 'none' });
  expect((await api.get(`${path}?receipt=${body.receipt}`, 'bob')).body).toMatchObject({
    status: 'queued',
    claimId: lost.claimId,
  });
  expect(await api.redis.hget(keysOf(sale.id).claims, 'bob')).toContain(lost.claimId);
});
