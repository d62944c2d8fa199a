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
  /** Notes that clicks are refused. A full Redis still lets buyers pay, so the process stays ready. */
  readonly load: { readonly note: string | undefined };
  readonly draining: boolean;
}

const Ready = z.object({ status: z.literal('ready'), note: z.string().optional() });

/** Tells a load balancer whether to send buyers to this process. */
export const readyz = publicEndpoint(
  {
    method: 'get',
    path: '/readyz',
    summary: 'Readiness',
    replies: { 200: { description: 'Ready for buyers', body: Ready } },
    problems: ['unavailable'],
  },
  async (parts: ReadyzParts) => {
    const reasons = await reasonsAgainst(parts);
    const { note } = parts.load;
    if (reasons.length > 0) throw new Problem('unavailable', { detail: reasons.join('; '), retryAfterSeconds: 1 });
    return { status: 200, body: { status: 'ready', ...(note === undefined ? {} : { note }) } };
  },
);

/** Returns the reasons against sending buyers to this process; an empty list when it is ready. */
async function reasonsAgainst({ redis, queueRedis, issuer, draining }: ReadyzParts): Promise<string[]> {
  const reasons = draining ? ['the process is ending'] : [];
  if (queueRedis.status !== 'ready') reasons.push('the queue is not connected');
  if (issuer?.ready === false) reasons.push('the keys of AUTH_JWKS_URL were not read yet');
  const server = withDeadline(reasonsAgainstServer(redis), PROBE_MS, 'readiness');
  return [...reasons, ...(await server.catch(() => ['Redis does not answer']))];
}

/** Returns the reasons against a Redis that answers: it may evict claims, or be no primary any more. */
async function reasonsAgainstServer(redis: Redis): Promise<string[]> {
  const facts = await readServerFacts(redis);
  const why = unfitness(facts);
  return [...(why ? [why] : []), ...(facts.isReplica ? ['Redis is a replica'] : [])];
}
