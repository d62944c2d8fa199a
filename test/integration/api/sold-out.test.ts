import { describe, expect, test } from '@jest/globals';
import { release } from '#core/redis/claims/release.js';
import { leaveStandby } from '#core/redis/claims/standby.js';
import { recordStatus } from '#core/redis/claims/status.js';
import { connectRedis, type Redis, waitUntilReady } from '#core/redis/connection.js';
import { API_PROCESSES, prefixOf } from '#core/redis/keys.js';
import { openSale } from '#core/redis/sale/open-sale.js';
import { restock, setSale } from '#core/redis/sale/sale.js';
import { defineScripts } from '#core/redis/scripts.js';
import type { Claim } from '#core/rules/claim.js';
import type { Sale } from '#core/rules/sale.js';
import { eventually } from '../../support/eventually.js';
import { type Answer, useApi } from '../../support/http/api.js';
import { readCommandCalls } from '../../support/redis/command-stats.js';
import { dumpKeys } from '../../support/stores/keyspace.js';

const api = useApi();

const buy = (sale: Sale, buyerId: string): Promise<Answer> => api.post(`/buy/${sale.id}`, buyerId);
const scriptCalls = async (): Promise<number> => (await readCommandCalls(api.redis)).evalsha ?? 0;

/** A sale of two units and one buyer on standby per unit, all taken, that is refused from memory. */
async function soldOut(wanted: Partial<Sale> = {}): Promise<{ sale: Sale; ann: Claim; bob: Claim }> {
  const sale = await api.open({ units: 2, standbyFactor: 1, ...wanted });
  const [ann, bob] = [await buy(sale, 'ann'), await buy(sale, 'bob')].map(({ body }, i) => ({
    buyerId: i === 0 ? 'ann' : 'bob',
    claimId: String(body.claimId),
    unit: Number(body.unit),
  })) as [Claim, Claim];
  if (sale.standbyFactor > 0) {
    await buy(sale, 'cem');
    await buy(sale, 'dan');
  }
  await untilQueued(sale);
  await untilFromMemory(sale);
  await untilAllTold();
  return { sale, ann, bob };
}

/**
 * Reads every key but the one in which the API gives its sign of life each second, and those that keep jobs apart for 2 s
 * and then expire.
 */
async function keysOfSales(): Promise<Record<string, string>> {
  const keys = Object.entries(await dumpKeys(api.redis));
  return Object.fromEntries(keys.filter(([key]) => key !== API_PROCESSES && !key.includes(':place-waiting:de:')));
}

/** Waits for the job, as it is added by a script too. Adding that is under way comes before the reading. */
async function untilQueued(sale: Sale): Promise<void> {
  await api.ctx.winners.flush();
  const jobs = await api.ctx.queues.of('')['place-waiting'].getWaiting();
  expect(jobs.map(({ data }) => data)).toContainEqual({ saleId: sale.id });
}

/** Waits for the messages of the last changes: an API sends one some milliseconds later, and notes in the sale when it did. */
const untilAllTold = (): Promise<void> => eventually(async () => expect(await api.redis.keys('*:news')).toEqual([]));

/** Waits until a buyer without a claim is refused without a script. */
async function untilFromMemory(sale: Sale, code = 'sold_out', buyerId = 'eve'): Promise<void> {
  await eventually(async () => {
    const before = await scriptCalls();
    expect((await buy(sale, buyerId)).body).toMatchObject({ code });
    expect(await scriptCalls()).toBe(before);
  });
}

const end = (sale: Sale, claim: Claim, redis = api.redis) =>
  release(redis, sale.id, [{ ...claim, status: 'cancelled', reason: 'unpaid', freesUnit: true }]);

/** Makes a change whose message is lost: its connection has no right to publish. */
async function untold(change: (redis: Redis) => Promise<unknown>): Promise<void> {
  await api.redis.acl('SETUSER', 'mute', 'on', 'nopass', 'allkeys', 'allcommands', 'resetchannels');
  const url = new URL(api.redisServer.url);
  Object.assign(url, { username: 'mute', password: 'none' });
  const redis = connectRedis(url.href, 'steps', () => undefined);
  defineScripts(redis);
  try {
    await waitUntilReady(redis, 60_000);
    await change(redis);
  } finally {
    redis.disconnect();
  }
}

/**
 * The clicks at once. More of them would keep a busy machine from renewing the mirror, which answers for a second. If the
 * machine is too busy all the same, the wave comes again.
 */
const WAVE = 25;

async function expectRefusals(sale: Sale, wave: number): Promise<void> {
  const clicks = Array.from({ length: WAVE }, (_, i) => buy(sale, `late-${wave}-${i}`));
  for (const { status, body, headers } of await Promise.all(clicks)) {
    expect({ status, code: body.code }).toEqual({ status: 409, code: 'sold_out' });
    expect(headers.get('content-type')).toBe('application/problem+json');
    expect(headers.get('cache-control')).toBe('no-store');
  }
}

describe('a sold-out sale', () => {
  test.each([0, 1])('refuses without a script and writes nothing (standby factor %i)', async standbyFactor => {
    const { sale } = await soldOut({ standbyFactor });
    const keys = await keysOfSales();
    for (let wave = 0; wave < 500 / WAVE; wave += 1) {
      await eventually(async () => {
        await api.redis.config('RESETSTAT');
        await expectRefusals(sale, wave);
        const calls = await readCommandCalls(api.redis);
        expect(calls).toHaveProperty('config|resetstat');
        for (const command of ['evalsha', 'eval', 'zrank', 'hset', 'lpop']) expect(calls).not.toHaveProperty(command);
      });
    }
    expect(await keysOfSales()).toEqual(keys);
  });

  test('still demands a token', async () => {
    const { sale } = await soldOut();
    expect((await api.post(`/buy/${sale.id}`)).status).toBe(401);
  });

  test('answers holders from Redis, even before the feed has heard a change', async () => {
    const { sale, ann } = await soldOut();
    expect(await buy(sale, 'ann')).toMatchObject({
      status: 200,
      body: { status: 'queued', claimId: ann.claimId, unit: ann.unit, receipt: expect.any(String) },
    });
    await untold(redis => recordStatus(redis, sale.id, [{ ...ann, status: 'paid' }]));
    expect((await buy(sale, 'ann')).body).toMatchObject({ status: 'paid' });
    expect((await api.get(`/order-status/${sale.id}`, 'ann')).body).toMatchObject({ status: 'paid', unit: ann.unit });
  });

  test('answers a buyer on standby with the position', async () => {
    const { sale } = await soldOut();
    expect((await buy(sale, 'dan')).body).toMatchObject({ status: 'standby', position: 2 });
  });
});

describe('room again', () => {
  const gets = (sale: Sale, buyerId: string, body: object) =>
    eventually(async () => expect((await buy(sale, buyerId)).body).toMatchObject(body));

  test('without standby, a unit that comes back goes to the next buyer', async () => {
    const { sale, ann } = await soldOut({ standbyFactor: 0 });
    await end(sale, ann);
    await gets(sale, 'eve', { status: 'queued', unit: ann.unit });
    await gets(sale, 'ann', { code: 'sold_out' });
  });

  test('a unit that comes back goes to the first on standby, which has room again', async () => {
    const { sale, ann } = await soldOut();
    await end(sale, ann);
    await gets(sale, 'cem', { status: 'queued', unit: ann.unit });
    await gets(sale, 'eve', { status: 'standby', position: 2 });
    await gets(sale, 'fay', { code: 'sold_out' });
  });

  test('standby has room again after a buyer has left', async () => {
    const { sale } = await soldOut();
    expect(await leaveStandby(api.redis, sale.id, 'cem')).toBe(true);
    await gets(sale, 'eve', { status: 'standby', position: 2 });
  });

  test('a sale has room again after a restock', async () => {
    const { sale } = await soldOut({ standbyFactor: 0 });
    await restock(api.redis, { ...sale, units: 3 });
    await gets(sale, 'eve', { status: 'queued', unit: 3 });
  });

  test('a paused sale says so, and a closed one says so from memory', async () => {
    const { sale } = await soldOut();
    await setSale(api.redis, sale.id, { state: 'paused' });
    await gets(sale, 'eve', { code: 'not_open' });
    await setSale(api.redis, sale.id, { state: 'closed' });
    await gets(sale, 'eve', { code: 'sale_closed' });
    await untilFromMemory(sale, 'sale_closed');
    expect((await buy(sale, 'ann')).status).toBe(200);
  });
});

describe('a change without a message', () => {
  test('a cut feed: Redis is asked until the mirror is true again', async () => {
    const { sale, ann } = await soldOut({ standbyFactor: 0 });
    await api.redis.call('CLIENT', 'KILL', 'TYPE', 'pubsub');
    await end(sale, ann);
    await eventually(async () => expect((await buy(sale, 'eve')).body).toMatchObject({ status: 'queued' }));
    await untilFromMemory(sale, 'sold_out', 'fay');
  });

  test('a lost message: the stale mirror answers for at most a second', async () => {
    const { sale, bob } = await soldOut({ standbyFactor: 0 });
    await untold(redis => end(sale, bob, redis));
    await eventually(async () => expect((await buy(sale, 'eve')).body).toMatchObject({ status: 'queued' }));
  });

  test('a sale that is loaded again: the mirror of the old one answers nothing', async () => {
    const { sale } = await soldOut({ standbyFactor: 0 });
    await api.redis.del(`${prefixOf(sale.id)}:sale`, `${prefixOf(sale.id)}:claims`, `${prefixOf(sale.id)}:outbox`);
    await openSale(api.redis, sale);
    await eventually(async () => expect((await buy(sale, 'eve')).body).toMatchObject({ status: 'queued' }));
  });
});
