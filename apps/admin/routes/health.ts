import type { Express } from 'express';
import { isMigrated } from '#core/postgres/migrate/migrated.js';
import { SECOND_MS, withDeadline } from '#core/rules/clock.js';
import type { AdminContext } from '../context.js';

/** Probes ask every few seconds, and give up soon. */
const PROBE_MS = SECOND_MS;

/**
 * For probes, which have no login: they learn yes or no.
 *
 * @param app gets `/healthz` (the process answers) and `/readyz` (both stores do)
 * @param ctx the stores
 */
export function addHealth(app: Express, ctx: AdminContext): void {
  app.get('/healthz', (_req, res) => {
    res.json({ status: 'ok' });
  });
  app.get('/readyz', async (_req, res) => {
    const [redis, postgres] = await Promise.all([
      answers(ctx.redis.ping().then(() => true)),
      answers(isMigrated(ctx.db)),
    ]);
    res
      .status(redis && postgres ? 200 : 503)
      .json({ status: redis && postgres ? 'ready' : 'not_ready', redis, postgres });
  });
}

function answers(probe: Promise<boolean>): Promise<boolean> {
  return withDeadline(probe, PROBE_MS, 'a probe').catch(() => false);
}
