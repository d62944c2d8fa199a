// The straight port: Express 5, the token check, and one call of the same claim script for each request. The port queues
// nothing, so it does less work than the API.
import { randomUUID } from 'node:crypto';
import express from 'express';
import { claim } from '#core/redis/claims/claim.js';
import { connectRedis } from '#core/redis/connection.js';
import { defineScripts } from '#core/redis/scripts.js';
import { buyerOf, serve, settings } from './serve.js';

const redis = connectRedis(settings.redisUrl, 'api', () => undefined);
defineScripts(redis);

const app = express().disable('x-powered-by').disable('etag');
app.post('/buy/:saleId', async (req, res) => {
  const buyerId = buyerOf(req);
  if (buyerId === undefined) return void res.status(401).json({ code: 'unauthenticated' });
  const [outcome] = await claim(redis, req.params.saleId, [{ buyerId, claimId: randomUUID() }]);
  if (outcome?.kind === 'won') res.status(202).json({ status: 'queued', ...outcome.claim });
  else if (outcome?.kind === 'held') res.status(200).json(outcome.claim);
  else res.status(409).json({ code: outcome?.kind });
});
redis.once('ready', () => serve(app));
