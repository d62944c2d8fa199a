import { afterEach, beforeEach, describe, expect, jest, test } from '@jest/globals';
import { connectRedis, type Redis, waitUntilReady } from '#core/redis/connection.js';
import type { Change } from '#core/redis/feed/changes.js';
import { Feed } from '#core/redis/feed/feed.js';
import { readPulses } from '#core/redis/feed/pulse.js';
import { channelOf, keysOf } from '#core/redis/keys.js';
import { defineScripts } from '#core/redis/scripts.js';
import type { Sale } from '#core/rules/sale.js';
import { eventually } from '../../support/eventually.js';
import { openTestSale, win } from '../../support/sales.js';
import { useStores } from '../../support/stores/stores.js';

const t = useStores();

const READY_MS = 60_000;
let subscriber: Redis;
let reader: Redis;
let feed: Feed;
let errors: string[];

beforeEach(async () => {
  errors = [];
  subscriber = connectRedis(t.redisUrl, 'feed', () => undefined);
  reader = connectRedis(t.redisUrl, 'api', () => undefined);
  defineScripts(reader);
  feed = new Feed(subscriber, reader, error => errors.push(error.message));
  await Promise.all([subscriber, reader].map(redis => waitUntilReady(redis, READY_MS)));
});
afterEach(() => {
  jest.restoreAllMocks();
  feed.close();
  reader.disconnect();
});

/** Follows a sale, and collects what its listener hears. */
function follow({ id }: Sale) {
  const told: string[] = [];
  const changes: Change[] = [];
  const leave = feed.follow(id, {
    changed: change => changes.push(change),
    listening: () => told.push('listening'),
    deaf: () => told.push('deaf'),
  });
  return { told, changes, leave };
}

const untilHeard = (sale: Sale) => eventually(() => expect(feed.hears(sale.id)).toBe(true));

test('a change of a followed sale reaches its listeners, and of no other sale', async () => {
  const [sale, other] = [await openTestSale(t, { units: 2 }), await openTestSale(t)];
  const { told, changes } = follow(sale);
  await untilHeard(sale);
  await win(t, other, 'bob');
  await win(t, sale, 'ann', 'bob');
  await eventually(() => expect(changes).toHaveLength(1));
  expect(changes).toMatchObject([{ free: 0, state: 'open', buyers: [{ buyerId: 'ann' }, { buyerId: 'bob' }] }]);
  expect(told).toEqual(['listening']);
  expect(feed.hears(other.id)).toBe(false);
});

test('a sale that is followed before the connection is ready is heard once it is', async () => {
  const sale = await openTestSale(t);
  feed.close();
  subscriber = connectRedis(t.redisUrl, 'feed', () => undefined);
  feed = new Feed(subscriber, reader, error => errors.push(error.message));
  expect(subscriber.status).not.toBe('ready');
  const { told } = follow(sale);
  await untilHeard(sale);
  expect(told).toEqual(['listening']);
});

test('a pulse has the time of its question, however late the answer comes', async () => {
  const sale = await openTestSale(t);
  const reading = readPulses(reader, [sale.id]);
  const askedByMs = performance.now();
  const [pulse] = await reading;
  expect(pulse?.askedAtMs).toBeLessThanOrEqual(askedByMs);
});

describe('the feed is deaf', () => {
  test('from the loss of its connection until it has subscribed again', async () => {
    const sale = await openTestSale(t, { units: 1 });
    const { told, changes } = follow(sale);
    await untilHeard(sale);
    await t.redis.call('CLIENT', 'KILL', 'TYPE', 'pubsub');
    await eventually(() => expect(told).toEqual(['listening', 'deaf', 'listening']));
    await win(t, sale, 'ann');
    await eventually(() => expect(changes).toHaveLength(1));
  });

  test('after a message that it cannot read, until it has subscribed again', async () => {
    const sale = await openTestSale(t);
    const { told } = follow(sale);
    await untilHeard(sale);
    await t.redis.publish(channelOf(sale.id), 'no change');
    await eventually(() => expect(errors).toEqual([expect.stringContaining('no change')]));
    expect(told.slice(0, 2)).toEqual(['listening', 'deaf']);
    await untilHeard(sale);
    expect(told).toEqual(['listening', 'deaf', 'listening']);
  });

  test('when Redis has counted messages that did not arrive, and connects again', async () => {
    const sale = await openTestSale(t);
    const { told } = follow(sale);
    await untilHeard(sale);
    let closed = 0;
    subscriber.on('close', () => {
      closed += 1;
    });
    // The first comparison sets the start of the count.
    await win(t, sale, 'ann');
    await eventually(async () => {
      await t.redis.hincrby(keysOf(sale.id).sale, 'published', 1);
      expect(told).toContain('deaf');
    });
    await eventually(() => expect(closed).toBe(1));
    await untilHeard(sale);
  });

  test('when several sales miss messages, with one new connection for all', async () => {
    const sales = [await openTestSale(t), await openTestSale(t), await openTestSale(t)];
    const followed = sales.map(follow);
    for (const sale of sales) await untilHeard(sale);
    const atMs: number[] = [];
    const disconnect = subscriber.disconnect.bind(subscriber);
    jest.spyOn(subscriber, 'disconnect').mockImplementation(reconnect => {
      atMs.push(performance.now());
      disconnect(reconnect);
    });
    await eventually(async () => {
      for (const { id } of sales) await t.redis.hincrby(keysOf(id).sale, 'published', 1);
      for (const { told } of followed) expect(told).toContain('deaf');
      expect(atMs.length).toBeGreaterThan(1);
    });
    // The feed itself keeps a pause of two seconds, however busy the machine is.
    for (const [i, at] of atMs.slice(1).entries()) expect(at - (atMs[i] ?? 0)).toBeGreaterThanOrEqual(2_000);
  });

  test('while it cannot compare the counts', async () => {
    const sale = await openTestSale(t);
    const { told } = follow(sale);
    await untilHeard(sale);
    reader.disconnect();
    await eventually(() => expect(told).toContain('deaf'));
    expect(errors.length).toBeGreaterThan(0);
  });
});

test('a sale without listeners is forgotten after ten seconds', async () => {
  const sale = await openTestSale(t);
  const { leave } = follow(sale);
  await untilHeard(sale);
  leave();
  const now = performance.now.bind(performance);
  jest.spyOn(performance, 'now').mockImplementation(() => now() + 10_001);
  await eventually(async () =>
    expect(await t.redis.call('PUBSUB', 'NUMSUB', channelOf(sale.id))).toEqual([channelOf(sale.id), 0]),
  );
  expect(feed.hears(sale.id)).toBe(false);
  // It can be followed again, like any other.
  const { told } = follow(sale);
  await untilHeard(sale);
  expect(told).toEqual(['listening']);
});
