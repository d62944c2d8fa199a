import { z } from 'zod';
import type { Issuer } from '#core/identity/issuer.js';
import type { Redis } from '#core/redis/connection.js';
import { readServerFacts, unfitness } from '#core/redis/server/fitness.js';
import { fullnessNote } from '#core/redis/server/memory.js';
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
    const { reasons, note } = await judge(parts);
    if (reasons.length > 0) throw new Problem('unavailable', { detail: reasons.join('; '), retryAfterSeconds: 1 });
    return { status: 200, body: { status: 'ready', ...(note === undefined ? {} : { note }) } };
  },
);

/** Reasons against sending buyers to this process, and a note for the operator of a process that is ready. */
interface Judgement {
  reasons: string[];
  note?: string | undefined;
}

async function judge({ redis, queueRedis, issuer, draining }: ReadyzParts): Promise<Judgement> {
  const reasons = draining ? ['the process is ending'] : [];
  if (queueRedis.status !== 'ready') reasons.push('the queue is not connected');
  if (issuer?.ready === false) reasons.push('the keys of AUTH_JWKS_URL were not read yet');
  const server = await withDeadline(judgeServer(redis), PROBE_MS, 'readiness').catch(() => undefined);
  if (!server) return { reasons: [...reasons, 'Redis does not answer'] };
  return { reasons: [...reasons, ...server.reasons], note: server.note };
}

/** Judges a Redis that answers. It may evict claims, or be no primary any more. A full one still lets buyers pay. */
async function judgeServer(redis: Redis): Promise<Judgement> {
  const facts = await readServerFacts(redis);
  const why = unfitness(facts);
  return {
    reasons: [...(why ? [why] : []), ...(facts.isReplica ? ['Redis is a replica'] : [])],
    note: fullnessNote(facts.fullness),
  };
}
