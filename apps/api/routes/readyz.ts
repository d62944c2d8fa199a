import { z } from 'zod';
import type { Issuer } from '#core/identity/issuer.js';
import type { Redis } from '#core/redis/connection.js';
import { ofBucket, readServerFacts, unfitness } from '#core/redis/server/fitness.js';
import type { Shards } from '#core/redis/shards.js';
import { withDeadline } from '#core/rules/clock.js';
import { Problem } from '#core/rules/errors.js';
import { publicEndpoint } from '../http/endpoint.js';

/** The time-out for Redis in the readiness probe, in ms. A slower Redis would be too slow for buyers as well. */
const PROBE_MS = 500;

interface ReadyzParts {
  readonly redis: Shards;
  readonly queueRedis: Shards;
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
    const servers = await Promise.all(parts.redis.shards.map(reasonsAgainstServer));
    const reasons = reasonsAgainst(parts, servers);
    if (reasons.length > 0) throw new Problem('unavailable', { detail: reasons.join('; '), retryAfterSeconds: 1 });
    const notes = [parts.load.note, ...servers.flat()].filter(one => one !== undefined);
    return { status: 200, body: { status: 'ready', ...(notes.length > 0 && { note: notes.join('; ') }) } };
  },
);

/** Returns the reasons against sending buyers to this process; an empty list when it is ready. */
function reasonsAgainst({ queueRedis, issuer, draining }: ReadyzParts, servers: readonly string[][]): string[] {
  const reasons = draining ? ['the process is ending'] : [];
  // The claims of a sale are safe without its queue, and no other process has more of them.
  if (queueRedis.shards.every(({ status }) => status !== 'ready')) reasons.push('the queue is not connected');
  if (issuer?.ready === false) reasons.push('the keys of AUTH_JWKS_URL were not read yet');
  // Another process can't reach a missing node of a cluster either, and the sales of the others continue.
  if (servers.every(against => against.length > 0)) reasons.push(...new Set(servers.flat()));
  return reasons;
}

/** Returns the reasons against a Redis: it does not answer, may evict claims, or is no primary any more. */
async function reasonsAgainstServer(server: Redis): Promise<string[]> {
  const asking = withDeadline(readServerFacts(server), PROBE_MS, 'readiness');
  const facts = await asking.catch(() => undefined);
  if (!facts) return [`Redis does not answer${ofBucket(server)}`];
  const why = unfitness(facts, server);
  return [...(why ? [why] : []), ...(facts.isReplica ? [`Redis is a replica${ofBucket(server)}`] : [])];
}
