// A lock around the whole purchase: one buyer at a time. The purchase is correct while the lock outlives the work.
import { randomUUID } from 'node:crypto';
import { setTimeout as pause } from 'node:timers/promises';
import { connectRedis } from '#core/redis/connection.js';
import { buyerOf, saleOf, send, serve, settings } from './serve.js';

const LOCK_MS = 5_000;
const RETRY_MS = 2;
const UNLOCK = `if redis.call('GET', KEYS[1]) == ARGV[1] then return redis.call('DEL', KEYS[1]) end return 0`;

const redis = connectRedis(settings.redisUrl, 'api', () => undefined);

async function buy(saleId: string, buyerId: string): Promise<number> {
  if (await redis.hget(`lock:${saleId}:users`, buyerId)) return 200;
  const unit = await redis.lpop(`lock:${saleId}:stock`);
  if (unit === null) return 409;
  await redis.hset(`lock:${saleId}:users`, buyerId, unit);
  await redis.lpush(`lock:${saleId}:queue`, JSON.stringify({ buyerId, unit: Number(unit) }));
  return 202;
}

async function locked(saleId: string, work: () => Promise<number>): Promise<number> {
  const key = `lock:${saleId}`;
  const token = randomUUID();
  while ((await redis.set(key, token, 'PX', LOCK_MS, 'NX')) === null) await pause(RETRY_MS * (1 + Math.random()));
  try {
    return await work();
  } finally {
    await redis.eval(UNLOCK, 1, key, token);
  }
}

redis.once('ready', () =>
  serve(async (req, res) => {
    const buyerId = buyerOf(req);
    const saleId = saleOf(req);
    const status = buyerId === undefined ? 401 : await locked(saleId, () => buy(saleId, buyerId));
    send(res, status, `{"status":${status}}`);
  }),
);
