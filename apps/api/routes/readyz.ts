import { z } from 'zod';
import type { Issuer } from '#core/identity/issuer.js';
import type { Redis } from '#core/redis/connection.js';
import { readServerFacts, unfitness } from '#core/redis/server/fitness.js';
import { withDeadline } from '#core/rules/clock.js';
import { Problem } from '#core/rules/errors.js';
import { publicEndpoint } from '../http/endpoint.js';

/** The time-out for Redis in the readiness probe, in ms. A slower Redis would be too slow for buyers as well. */
const PROBE_MS = 500;

interface ReadyzParts {
  readonly redis: Redis;
  readonly queueRedis: Pick<Redis, 'status'>;
  readonly issuer: Pick<Issuer, 'ready'> | undefined;
  readonly draining: boolean;
}

/** Tells a load balancer whether to send buyers to this process. */
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
  reasons.push(
    ...(await withDeadline(objectionsTo(redis), PROBE_MS, 'readiness').catch(() => ['Redis does not answer'])),
  );
  return reasons;
}

/** Finds what speaks against a Redis that answers: it may evict claims, or it is no primary any more. */
async function objectionsTo(redis: Redis): Promise<string[]> {
  const facts = await readServerFacts(redis);
  const why = unfitness(facts);
  return [...(why ? [why] : []), ...(facts.isReplica ? ['Redis is a replica'] : [])];
}
