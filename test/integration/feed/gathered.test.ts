import { randomUUID } from 'node:crypto';
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { connectRedis, type Redis, waitUntilReady } from '#core/redis/connection.js';
import type { Change } from '#core/redis/feed/changes.js';
import { Feed } from '#core/redis/feed/feed.js';
import { channelOf, keysOf, newsKeyOf } from '#core/redis/keys.js';
import { openSale } from '#core/redis/sale/open-sale.js';
import { readLoadedSale, setSale } from '#core/redis/sale/sale.js';
import { defineScripts } from '#core/redis/scripts.js';
import type { Sale } from '#core/rules/sale.js';
import { eventually } from '../../support/eventually.js';
import { readCommandCalls } from '../../support/redis/command-stats.js';
import { buyers, openTestSale, win } from '../../support/sales.js';
import { useStores } from '../../support/stores/stores.js';

// While many change, a sale has one message in some milliseconds, and every change goes out.

const t = useStores();

const READY_MS = 60_000;
const CLICKS = 2_000;
/** Clicks of buyers in flight at the same time, each a call of the script of its own. */
const AT_ONCE = 40;
/** Messages of one sale that no script sends more often than this, in ms. */
const GATHER_MS = 20;
let reader: Redis;
let feeds: Feed[];

beforeEach(async () => {
  reader = connectRedis(t.redisUrl, 'api', () => undefined);
  defineScripts(reader);
  await waitUntilReady(reader, READY_MS);
  feeds = [];
});
afterEach(() => {
  for (const feed of feeds) feed.close();
  reader.disconnect();
});

/** Starts a feed as an API has one, and collects the changes of a sale that it hears. */
async function follow({ id }: Sale): Promise<Change[]> {
  const feed = new Feed(
    connectRedis(t.redisUrl, 'feed', () => undefined),
    reader,
    () => undefined,
  );
  feeds.push(feed);
  const changes: Change[] = [];
  feed.follow(id, { changed: change => changes.push(change), listening: () => {}, deaf: () => {} });
  await eventually(() => expect(feed.hears(id)).toBe(true));
  return changes;
}

const joined = (changes: Change[]) => changes.flatMap(change => change.buyers.map(({ buyerId }) => buyerId));

/** Lets buyers join the standby of a sale, each by a call of its own. */
async function joinAll(sale: Sale): Promise<void> {
  const waiting = buyers(CLICKS);
  const join = async () => {
    for (let buyer = waiting.pop(); buyer !== undefined; buyer = waiting.pop()) await win(t, sale, buyer);
  };
  await Promise.all(Array.from({ length: AT_ONCE }, join));
}

describe('while many change', () => {
  test('a sale has at most one message in 20 ms, and every API hears each change once, in order', async () => {
    const sale = await openTestSale(t, { units: 1, standbyFactor: CLICKS });
    const heard = [await follow(sale), await follow(sale)];
    await win(t, sale, 'first');
    const published = async () => (await readCommandCalls(t.redis)).publish ?? 0;
    const before = await published();
    const beganAtMs = performance.now();
    await joinAll(sale);
    for (const changes of heard) await eventually(() => expect(joined(changes)).toHaveLength(CLICKS + 1));
    const messages = (await published()) - before;
    // Scripts count whole milliseconds. Before the first of these messages there is none, and after the last one an API asks for the rest.
    expect(messages).toBeLessThanOrEqual((performance.now() - beganAtMs) / (GATHER_MS - 1) + 2);
    for (const changes of heard) {
      for (const [i, { since }] of changes.entries()) if (i > 0) expect(since - 1).toBe(changes[i - 1]?.version);
      expect(changes.at(-1)).toMatchObject({ free: 0, waiting: CLICKS, state: 'open' });
    }
  });

  test('changes that nobody asks for wait for the next message, and expire after a while', async () => {
    const sale = await openTestSale(t, { units: 1, standbyFactor: 1_000 });
    const news = newsKeyOf(sale.id);
    const names = await soonAfterMessage(sale, async () => {
      const names = [randomUUID(), randomUUID()];
      for (const name of names) await win(t, sale, name);
      return names;
    });
    expect(await t.redis.llen(news)).toBe(names.length);
    expect(await t.redis.ttl(news)).toBeGreaterThan(0);
    const changes = await follow(sale);
    await eventually(() => expect(joined(changes)).toEqual(names));
    expect(await t.redis.exists(news)).toBe(0);
  });

  test('a message has the last known counts, and begins after a gap in the versions', async () => {
    const sale = await openTestSale(t, { units: 200 });
    const fields = keysOf(sale.id).sale;
    await soonAfterMessage(sale, async () => {
      await win(t, sale, randomUUID());
      // Changes that are not published, such as claims from a large stock, only raise the version.
      await t.redis.hincrby(fields, 'version', 1);
      for (const state of ['paused', 'open'] as const) await setSale(t.redis, sale.id, { state });
    });
    const version = Number(await t.redis.hget(fields, 'version'));
    const free = await t.redis.llen(keysOf(sale.id).stock);
    const changes = await follow(sale);
    await eventually(() => expect(changes).toHaveLength(1));
    expect(changes[0]).toMatchObject({ version, since: version - 1, free, state: 'open', buyers: [{ kind: 'claim' }] });
  });

  test('at most 255 changes wait', async () => {
    const sale = await openTestSale(t, { units: 1, standbyFactor: 1_000 });
    const waitingAfter = (waiting: number) =>
      soonAfterMessage(sale, async () => {
        await t.redis.rpush(newsKeyOf(sale.id), ...Array.from({ length: waiting }, () => '1 1 - - 0 open'));
        await win(t, sale, randomUUID());
        return t.redis.llen(newsKeyOf(sale.id));
      });
    expect(await waitingAfter(254)).toBe(255);
    expect(await waitingAfter(255)).toBe(0);
  });
});

test('a change goes out at once if no message went out a moment ago, also after the clock of Redis was set back', async () => {
  const sale = await openTestSale(t, { units: 3 });
  const ears = t.redis.duplicate({ enableOfflineQueue: true });
  let messages = 0;
  ears.on('message', () => {
    messages += 1;
  });
  await ears.subscribe(channelOf(sale.id));
  for (const [n, toldAtMs] of [0, (await nowMs()) + 3_600_000].entries()) {
    await t.redis.hset(keysOf(sale.id).sale, 'toldAtMs', toldAtMs);
    await win(t, sale, `buyer-${n}`);
    // The reply to this ping comes after every message that was published before.
    await ears.ping();
    expect(messages).toBe(n + 1);
  }
  ears.disconnect();
});

test('a sale that is loaded again tells the changes that wait before its own', async () => {
  const sale = await openTestSale(t, { units: 2 });
  const changes = await follow(sale);
  await t.redis.hset(keysOf(sale.id).sale, 'toldAtMs', await nowMs());
  await win(t, sale, 'ann');
  const gate = (await readLoadedSale(t.redis, sale.id))?.runId;
  await openSale(t.redis, sale, { gate });
  await eventually(() => expect(changes.at(-1)).toMatchObject({ free: 2 }));
  expect(joined(changes)).toEqual(['ann']);
});

/** Returns the time of Redis, in ms. */
async function nowMs(): Promise<number> {
  const [seconds, micros] = await t.redis.time();
  return Number(seconds) * 1_000 + Math.floor(Number(micros) / 1_000);
}

/** Does some work within 20 ms of the last message of a sale. It is repeated while the machine is too busy for that. */
async function soonAfterMessage<T>(sale: Sale, work: () => Promise<T>): Promise<T> {
  for (;;) {
    const toldAtMs = await nowMs();
    await t.redis.multi().del(newsKeyOf(sale.id)).hset(keysOf(sale.id).sale, 'toldAtMs', toldAtMs).exec();
    const result = await work();
    if ((await nowMs()) - toldAtMs < GATHER_MS) return result;
  }
}
