import { afterEach, beforeEach, describe, expect, jest, test } from '@jest/globals';
import { release } from '#core/redis/claims/release.js';
import { connectRedis, type Redis, waitUntilReady } from '#core/redis/connection.js';
import { Feed } from '#core/redis/feed/feed.js';
import { keysOf, prefixOf } from '#core/redis/keys.js';
import { openSale } from '#core/redis/sale/open-sale.js';
import { setSale } from '#core/redis/sale/sale.js';
import type { Claim } from '#core/rules/claim.js';
import type { Sale } from '#core/rules/sale.js';
import { Copying } from '../../../apps/api/mirror/copying.js';
import { Mirrors } from '../../../apps/api/mirror/mirrors.js';
import { eventually } from '../../support/eventually.js';
import { openTestSale, win } from '../../support/sales.js';
import { useStores } from '../../support/stores/stores.js';

const t = useStores();

const READY_MS = 60_000;
let subscriber: Redis;
let feed: Feed;
let mirrors: Mirrors;

beforeEach(async () => {
  subscriber = connectRedis(t.redisUrl, 'feed', () => undefined);
  feed = new Feed(subscriber, t.redis, () => undefined);
  mirrors = new Mirrors({ redis: t.redis, feed });
  await waitUntilReady(subscriber, READY_MS);
});
afterEach(() => {
  jest.restoreAllMocks();
  mirrors.close();
  feed.close();
});

/** Opens a sale of one unit, which `ann` has. */
async function soldOut(wanted: Partial<Sale> = {}): Promise<{ sale: Sale; claim: Claim }> {
  const sale = await openTestSale(t, { units: 1, ...wanted });
  const [claim] = await win(t, sale, 'ann');
  if (!claim) throw new Error('ann should have won');
  return { sale, claim };
}

const end = ({ id }: Sale, claim: Claim) =>
  release(t.redis, id, [{ ...claim, status: 'cancelled', reason: 'unpaid', freesUnit: true }]);

/** Wants mirrors until one of the sale refuses a buyer. */
const untilRefused = ({ id }: Sale, refusal = 'sold_out') =>
  eventually(() => {
    mirrors.want(id);
    expect(mirrors.refusalOf(id, 'eve')).toBe(refusal);
  });

/** Makes a copy of a sale, with some work between the reading and the end. */
async function copy({ id }: Sale, meanwhile: (copying: Copying) => unknown = () => undefined) {
  const copying = new Copying(t.redis, id);
  copying.begin();
  meanwhile(copying);
  return copying.done;
}

const change = (version: number, free = 0) => ({
  version,
  since: version,
  published: version,
  free,
  standbyCap: 0,
  state: 'open' as const,
  buyers: [],
});

describe('a mirror is made', () => {
  test('of a sale without a free unit, and of one that is closed or whose time is over', async () => {
    const closed = await openTestSale(t);
    await setSale(t.redis, closed.id, { state: 'closed' });
    const over = await openTestSale(t, { closesAtMs: Date.now() - 1_000 });
    const { sale } = await soldOut();
    const made = [await copy(sale), await copy(closed), await copy(over)];
    expect(made.map(mirror => mirror?.refusalOf('eve'))).toEqual(['sold_out', 'closed', 'closed']);
  });

  test('of no sale that has a unit, and of none that Redis has not verified', async () => {
    const { sale } = await soldOut();
    await setSale(t.redis, sale.id, { runId: 'another-run' });
    expect([await copy(await openTestSale(t)), await copy(sale)]).toEqual([undefined, undefined]);
  });

  test('with the changes that came while the sale was read', async () => {
    const { sale } = await soldOut();
    const version = Number(await t.redis.hget(`${prefixOf(sale.id)}:sale`, 'version'));
    const mirror = await copy(sale, copying => copying.buffer(change(version + 1, 1)));
    expect(mirror?.refusalOf('eve')).toBeUndefined();
    expect(mirror?.apply(change(version + 2, 0))).toBe(true);
    expect(mirror?.refusalOf('eve')).toBe('sold_out');
  });

  test('by no attempt that missed a change, kept too many, or was given up', async () => {
    const { sale } = await soldOut();
    const version = Number(await t.redis.hget(`${prefixOf(sale.id)}:sale`, 'version'));
    expect(await copy(sale, copying => copying.buffer(change(version + 2)))).toBeUndefined();
    const keep = (count: number) => (copying: Copying) => {
      for (let i = 0; i < count; i += 1) copying.buffer(change(version));
    };
    expect(await copy(sale, keep(9_999))).toBeDefined();
    expect(await copy(sale, keep(10_000))).toBeUndefined();
    expect(await copy(sale, copying => copying.giveUp())).toBeUndefined();
    const late = new Copying(t.redis, sale.id);
    late.giveUp();
    late.begin();
    expect(await late.done).toBeUndefined();
  });
});

describe('a mirror ends', () => {
  test('with a unit that comes back, and is made again for the next buyer without one', async () => {
    const { sale, claim } = await soldOut();
    await untilRefused(sale);
    expect(mirrors.refusalOf(sale.id, 'ann')).toBeUndefined();
    await end(sale, claim);
    await eventually(() => expect(mirrors.refusalOf(sale.id, 'eve')).toBeUndefined());
    await win(t, sale, 'bob');
    await untilRefused(sale);
    expect(mirrors.refusalOf(sale.id, 'bob')).toBeUndefined();
  });

  test('with the connection of the feed', async () => {
    const { sale } = await soldOut();
    await untilRefused(sale);
    subscriber.disconnect();
    await eventually(() => expect(mirrors.refusalOf(sale.id, 'eve')).toBeUndefined());
  });

  test('when the sale is loaded again or no longer verified', async () => {
    const [again, shut] = [await soldOut(), await soldOut()];
    await untilRefused(again.sale);
    const { sale, claims, outbox } = keysOf(again.sale.id);
    await t.redis.del(sale, claims, outbox);
    await openSale(t.redis, again.sale);
    await eventually(() => expect(mirrors.refusalOf(again.sale.id, 'eve')).toBeUndefined());
    await untilRefused(shut.sale);
    await setSale(t.redis, shut.sale.id, { runId: 'another-run' });
    await eventually(() => expect(mirrors.refusalOf(shut.sale.id, 'eve')).toBeUndefined());
  });

  test('with the process: nobody is refused any more, and no sale is followed', async () => {
    const { sale } = await soldOut();
    await untilRefused(sale);
    mirrors.close();
    expect(mirrors.refusalOf(sale.id, 'eve')).toBeUndefined();
  });
});

test('a process has mirrors of 20 sales, and one more once a sale needs none', async () => {
  const sales: Sale[] = [];
  for (let i = 0; i < 21; i += 1) sales.push((await soldOut()).sale);
  const [first, last] = [sales[0], sales[20]] as [Sale, Sale];
  for (const sale of sales.slice(0, 20)) mirrors.want(sale.id);
  for (const sale of sales.slice(0, 20)) await untilRefused(sale);
  for (let i = 0; i < 10; i += 1) mirrors.want(last.id);
  await eventually(() => expect(mirrors.refusalOf(first.id, 'eve')).toBe('sold_out'));
  expect(mirrors.refusalOf(last.id, 'eve')).toBeUndefined();
  const [claim] = await win(t, first, 'ann');
  expect(claim).toBeUndefined();
  await setSale(t.redis, first.id, { runId: 'another-run' });
  await eventually(() => expect(mirrors.refusalOf(first.id, 'eve')).toBeUndefined());
  await untilRefused(last);
});
