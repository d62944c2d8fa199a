import { z } from 'zod';
import type { Issuer } from '#core/identity/issuer.js';
import { ConfigError } from '#core/process/config.js';
import { type Redis, refuseEviction } from '#core/redis/connection.js';
import { withDeadline } from '#core/rules/clock.js';
import { Problem } from '#core/rules/errors.js';
import { publicEndpoint } from '../http/endpoint.js';

/** The time-out of the probe, in ms. A slower Redis would be too slow for buyers as well. */
const PROBE_MS = 500;

interface ReadyzParts {
  readonly redis: Redis;
  readonly queueRedis: Pick<Redis, 'status'>;
  readonly issuer: Pick<Issuer, 'ready'> | undefined;
  readonly draining: boolean;
}

/** Tells a load balancer whether to send buyers here. */
export const readyz = publicEndpoint(
  {
    method: 'get',
    path: '/readyz',
    summary: 'Readiness',
    replies: { 200: { description: 'Ready for buyers', body: z.object({ status: z.literal('ready') }) } },
    problems: ['unavailable'],
  },
  async (parts: ReadyzParts) => {
    const reasons = await reasonsAgainst(parts);
    if (reasons.length > 0) throw new Problem('unavailable', { detail: reasons.join('; '), retryAfterSeconds: 1 });
    return { status: 200, body: { status: 'ready' } };
  },
);

async function reasonsAgainst({ redis, queueRedis, issuer, draining }: ReadyzParts): Promise<string[]> {
  const reasons = draining ? ['the process is ending'] : [];
  if (queueRedis.status !== 'ready') reasons.push('the queue is not connected');
  if (issuer?.ready === false) reasons.push('the keys of AUTH_JWKS_URL were not read yet');
  // A policy other than noeviction would let Redis evict claims to make room.
  await withDeadline(refuseEviction(redis), PROBE_MS, 'readiness').catch(error => {
    reasons.push(error instanceof ConfigError ? error.message : 'Redis does not answer');
  });
  return reasons;
}
