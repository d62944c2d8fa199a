import { randomUUID } from 'node:crypto';
import { chunks } from '../chunks.js';
import { type ClaimRecord, formatClaimRecord, isLive } from '../claim.js';
import { ConfigError } from '../config.js';
import { crashPoint } from '../crash-point.js';
import type { Redis } from '../redis.js';
import { hasPurchaseRules, type Sale, standbyCap } from '../sale.js';
import { allKeysOf, keysOf, REGISTRY } from './keys.js';
import { readRunId } from './sale.js';
import { runScript } from './scripts.js';

/** How many elements travel in one command while a sale is staged: a few hundred kB. */
const STAGE_CHUNK = 5_000;

/** Staged keys that were never put in place vanish after this many seconds. */
const STAGED_TTL_SECONDS = 600;

/** What a sale starts with. All empty for a new one; from Postgres (and what Redis still has) for a lost one. */
export interface StartingState {
  claims: (ClaimRecord & { buyerId: string })[];
  /** Claims that are not placed yet, with the time they were won in ms. */
  outbox: { buyerId: string; wonAtMs: number }[];
  /** In the order of the line. */
  standby: string[];
  /** Units that were refunded and don't return to stock. */
  withdrawn?: number[];
}

const NOTHING: StartingState = { claims: [], outbox: [], standby: [] };

/**
 * Loads a sale into Redis, in place of whatever Redis has of it, verified for this run of Redis.
 *
 * @param redis a connection with the scripts
 * @param sale the sale, as Postgres has it
 * @param state what it starts with
 * @param gate what the caller closed the gate with ({@link setSale}); none for a sale that isn't loaded
 * @returns false when somebody else has opened the sale since: then nothing changed
 * @throws Error when Redis restarts again and again meanwhile; ConfigError for rules that a Redis Cluster can't keep; what
 *   ioredis throws
 */
export async function openSale(redis: Redis, sale: Sale, state = NOTHING, gate = ''): Promise<boolean> {
  await refuseRulesOnCluster(redis, sale);
  for (let attempt = 0; attempt < 3; attempt += 1) {
    const runId = await readRunId(redis);
    // First, as rescue only looks into sales that are listed.
    await redis.hset(REGISTRY, sale.id, sale.generation);
    const staged = await stage(redis, sale, state);
    await crashPoint('rebuild.staged');
    const names = [...allKeysOf(sale.id), ...staged.map(({ key }) => key)];
    const args = [runId, gate, sale.generation, ...staged.map(({ count }) => count), ...fieldsOf(sale)];
    const outcome = await runScript(redis, 'open-sale', names, args);
    if (outcome === 'opened') return true;
    await redis.del(...staged.map(({ key }) => key));
    if (outcome === 'superseded') return false;
  }
  throw new Error(`sale ${sale.id} could not be loaded: Redis restarts while it is staged`);
}

function fieldsOf(sale: Sale): (string | number)[] {
  const { id: _, standbyFactor: __, generation: ___, onePurchaseAtATime, ...fields } = sale;
  const onePurchase = onePurchaseAtATime ? 1 : 0;
  return Object.entries({ ...fields, onePurchaseAtATime: onePurchase, standbyCap: standbyCap(sale) }).flat();
}

/**
 * The keys that such rules need belong to the buyer, and a script of a Redis Cluster reaches the keys of one sale only.
 *
 * @param redis a connection
 * @param sale the sale
 * @throws ConfigError when it has rules about purchases, and Redis is a cluster
 */
export async function refuseRulesOnCluster(redis: Redis, sale: Parameters<typeof hasPurchaseRules>[0]): Promise<void> {
  if (!hasPurchaseRules(sale) || !(await redis.info('cluster')).includes('cluster_enabled:1')) return;
  throw new ConfigError(
    'one purchase at a time and a pause between purchases are not available on a Redis Cluster: leave them off, or use one Redis',
  );
}

/** A temporary key, and how many elements were put there. */
interface Staged {
  key: string;
  count: number;
}

/** Fills temporary keys: the free units are those that no live claim has, and that were not withdrawn. */
async function stage(redis: Redis, sale: Sale, state: StartingState): Promise<Staged[]> {
  const keys = keysOf(sale.id);
  const suffix = `:staged:${randomUUID()}`;
  const [stock, claims, outbox, standby] = [keys.stock, keys.claims, keys.outbox, keys.standby].map(
    k => k + suffix,
  ) as [string, string, string, string];
  const taken = new Set([...(state.withdrawn ?? []), ...state.claims.filter(c => isLive(c.status)).map(c => c.unit)]);
  const free = Array.from({ length: sale.units }, (_, i) => i + 1).filter(unit => !taken.has(unit));
  for (const chunk of chunks(free, STAGE_CHUNK)) await redis.rpush(stock, ...chunk);
  for (const chunk of chunks(state.claims, STAGE_CHUNK)) {
    await redis.hset(claims, ...chunk.flatMap(c => [c.buyerId, formatClaimRecord(c)]));
  }
  for (const chunk of chunks(state.outbox, STAGE_CHUNK))
    await redis.zadd(outbox, ...chunk.flatMap(e => [e.wonAtMs, e.buyerId]));
  const line = state.standby.map((buyerId, i) => [i + 1, buyerId] as const);
  for (const chunk of chunks(line, STAGE_CHUNK)) await redis.zadd(standby, ...chunk.flat());
  for (const key of [stock, claims, outbox, standby]) await redis.expire(key, STAGED_TTL_SECONDS);
  return [
    { key: stock, count: free.length },
    { key: claims, count: state.claims.length },
    { key: outbox, count: state.outbox.length },
    { key: standby, count: state.standby.length },
  ];
}
