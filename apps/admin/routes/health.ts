import type { Express } from 'express';
import { reasonAgainstDatabase } from '#core/postgres/fitness.js';
import { SECOND_MS, withDeadline } from '#core/rules/clock.js';
import type { StepContext } from '#core/steps/context.js';

/**
 * The time-out of one check of Redis or Postgres, in ms. Orchestrators request /readyz every few seconds and give up
 * after one or two.
 */
const PROBE_MS = SECOND_MS;

/**
 * Adds `/healthz` (the process answers) and `/readyz` (Redis answers, and Postgres can be worked with). Both are public
 * and only say yes or no.
 */
export function addHealth(app: Express, ctx: Pick<StepContext, 'redis' | 'db'>): void {
  app.get('/healthz', (_req, res) => {
    res.json({ status: 'ok' });
  });
  app.get('/readyz', async (_req, res) => {
    const [redis, postgres] = await Promise.all([
      answers(Promise.all(ctx.redis.shards.map(server => server.ping())).then(() => true)),
      answers(reasonAgainstDatabase(ctx.db).then(reason => reason === undefined)),
    ]);
    res
      .status(redis && postgres ? 200 : 503)
      .json({ status: redis && postgres ? 'ready' : 'not_ready', redis, postgres });
  });
}

function answers(probe: Promise<boolean>): Promise<boolean> {
  return withDeadline(probe, PROBE_MS, 'a probe').catch(() => false);
}
