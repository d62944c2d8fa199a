// The claim in the classic PHP-and-Redis form, here on node:http: a list and a hash, one command after another.
// A check before the act keeps buyers from buying twice. A crash between two commands loses a unit.
import { connectRedis } from '#core/redis/connection.js';
import { buyerOf, saleOf, send, serve, settings } from './serve.js';

const redis = connectRedis(settings.redisUrl, 'api', () => undefined);

async function buy(saleId: string, buyerId: string): Promise<number> {
  if (await redis.hget(`classic:${saleId}:users`, buyerId)) return 200;
  const unit = await redis.lpop(`classic:${saleId}:stock`);
  if (unit === null) return 409;
  await redis.hset(`classic:${saleId}:users`, buyerId, unit);
  await redis.lpush(`classic:${saleId}:queue`, JSON.stringify({ buyerId, unit: Number(unit) }));
  return 202;
}

redis.once('ready', () =>
  serve(async (req, res) => {
    const buyerId = buyerOf(req);
    const status = buyerId === undefined ? 401 : await buy(saleOf(req), buyerId);
    send(res, status, `{"status":${status}}`);
  }),
);
