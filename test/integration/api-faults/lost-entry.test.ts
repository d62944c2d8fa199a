import { randomBytes } from 'node:crypto';
import { expect, test } from '@jest/globals';
import { newLine } from '#core/redis/draw/entries.js';
import { entriesKeyOf, keysOf } from '#core/redis/keys.js';
import { openSale } from '#core/redis/sale/open-sale.js';
import type { Sale } from '#core/rules/sale.js';
import { useApi } from '../../support/http/api.js';
import { aSale } from '../../support/sales.js';

// Redis may lose an entry that its buyer has a receipt of.

const api = useApi();

const HOUR_MS = 3_600_000;

async function openDraw(): Promise<Sale> {
  const nowMs = Date.now();
  const times = { joinsAtMs: nowMs - HOUR_MS, opensAtMs: nowMs + HOUR_MS, closesAtMs: nowMs + 2 * HOUR_MS };
  const sale = aSale({ opening: 'draw', standbyFactor: 3, ...times });
  await openSale(api.redis, sale, { line: newLine(randomBytes(32)) });
  return sale;
}

async function joinAndLose(sale: Sale): Promise<string> {
  const { body } = await api.post(`/buy/${sale.id}`, 'ann');
  expect(body).toMatchObject({ status: 'joined', entry: 1 });
  await api.redis.hdel(entriesKeyOf(sale.id), 'ann');
  await api.redis.zrem(keysOf(sale.id).standby, 'ann');
  return String(body.receipt);
}

test('a receipt brings a lost entry back', async () => {
  const sale = await openDraw();
  const receipt = await joinAndLose(sale);
  const path = `/order-status/${sale.id}`;
  expect((await api.get(path, 'ann')).body).toEqual({ status: 'none' });
  expect((await api.get(`${path}?receipt=${receipt}`, 'ann')).body).toMatchObject({ status: 'joined', entry: 1 });
  expect((await api.get(path, 'ann')).body).toMatchObject({ status: 'joined', entry: 1 });
});

test('a receipt brings a lost entry back, although its buyer has joined again behind the entries', async () => {
  const sale = await openDraw();
  const receipt = await joinAndLose(sale);
  await api.redis.hset(keysOf(sale.id).sale, 'opensAtMs', Date.now() - 1);
  for (const buyerId of ['eve', 'ann']) {
    expect((await api.post(`/buy/${sale.id}`, buyerId)).body).not.toHaveProperty('entry');
  }
  const { body } = await api.get(`/order-status/${sale.id}?receipt=${receipt}`, 'ann');
  expect(body).toMatchObject({ entry: 1 });
  expect(await api.redis.zrange(keysOf(sale.id).standby, 0, '-1')).toEqual(['ann', 'eve']);
});
