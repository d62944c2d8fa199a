import { z } from 'zod';
import { ConfigError } from '#core/process/config.js';
import { refuseEviction } from '#core/redis/connection.js';
import { withDeadline } from '#core/rules/clock.js';
import { Problem } from '#core/rules/errors.js';
import type { ApiContext } from '../context.js';
import { publicEndpoint } from '../http/endpoint.js';

/** A Redis that takes longer than this, in ms, would not do for buyers either. */
const PROBE_MS = 500;

/** Whether a load balancer should send buyers here. */
export const readyz = publicEndpoint(
  {
    method: 'get',
    path: '/readyz',
    summary: 'Readiness',
    replies: { 200: { description: 'Ready for buyers', body: z.object({ status: z.literal('ready') }) } },
    problems: ['unavailable'],
  },
  async ctx => {
    const reasons = await reasonsAgainst(ctx);
    if (reasons.length > 0) throw new Problem('unavailable', { detail: reasons.join('; '), retryAfterSeconds: 1 });
    return { status: 200, body: { status: 'ready' } };
  },
);

async function reasonsAgainst(ctx: ApiContext): Promise<string[]> {
  const reasons = ctx.draining ? ['the process is ending'] : [];
  if (ctx.queueRedis.status !== 'ready') reasons.push('the queue is not connected');
  if (ctx.issuer?.ready === false) reasons.push('the keys of AUTH_JWKS_URL were not read yet');
  // A policy other than noeviction would let Redis forget claims to make room.
  await withDeadline(refuseEviction(ctx.redis), PROBE_MS, 'readiness').catch(error => {
    reasons.push(error instanceof ConfigError ? error.message : 'Redis does not answer');
  });
  return reasons;
}
