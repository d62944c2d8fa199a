import { randomUUID } from 'node:crypto';
import { ConfigError } from '../../process/config.js';
import { crashPoint } from '../../process/crash-point.js';
import { chunks } from '../../rules/chunks.js';
import { type ClaimRecord, formatClaimRecord, isLive } from '../../rules/claim.js';
import { hasPurchaseRules, type Sale, standbyCap } from '../../rules/sale.js';
import type { Redis } from '../connection.js';
import { allKeysOf, keysOf, REGISTRY } from '../keys.js';
import { runScript } from '../scripts.js';
import { readRunId } from './sale.js';

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
    const keys = stagedKeysOf(sale.id);
    try {
      const counts = await stage(redis, keys, sale, state);
      await crashPoint('rebuild.staged');
      const args = [runId, gate, sale.generation, ...counts, ...fieldsOf(sale)];
      const outcome = await runScript(redis, 'open-sale', [...allKeysOf(sale.id), ...keys], args);
      if (outcome === 'opened') return true;
      if (outcome === 'superseded') return false;
    } finally {
      // Where the sale was opened they are its own by now. Whoever can't be reached lets them expire.
      await redis.unlink(keys).catch(() => undefined);
    }
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

/** Temporary keys: of stock, claims, outbox and standby. */
type StagedKeys = [stock: string, claims: string, outbox: string, standby: string];

function stagedKeysOf(saleId: string): StagedKeys {
  const { stock, claims, outbox, standby } = keysOf(saleId);
  const suffix = `:staged:${randomUUID()}`;
  return [stock + suffix, claims + suffix, outbox + suffix, standby + suffix];
}

/**
 * Fills temporary keys: the free units are those that no live claim has, and that were not withdrawn.
 *
 * @returns how many elements were put into each
 */
async function stage(redis: Redis, keys: StagedKeys, sale: Sale, state: StartingState): Promise<number[]> {
  const [stock, claims, outbox, standby] = keys;
  const taken = new Set([...(state.withdrawn ?? []), ...state.claims.filter(c => isLive(c.status)).map(c => c.unit)]);
  const free = Array.from({ length: sale.units }, (_, i) => i + 1).filter(unit => !taken.has(unit));
  const line = state.standby.map((buyerId, i) => [i + 1, buyerId] as const);
  const records = (part: StartingState['claims']) => part.flatMap(c => [c.buyerId, formatClaimRecord(c)]);
  await fill(redis, stock, free, part => redis.rpush(stock, ...part));
  await fill(redis, claims, state.claims, part => redis.hset(claims, ...records(part)));
  await fill(redis, outbox, state.outbox, part => redis.zadd(outbox, ...part.flatMap(e => [e.wonAtMs, e.buyerId])));
  await fill(redis, standby, line, part => redis.zadd(standby, ...part.flat()));
  return [free.length, state.claims.length, state.outbox.length, state.standby.length];
}

/** Whatever becomes of us, what we have put there goes: after the first part already. */
async function fill<T>(redis: Redis, key: string, all: readonly T[], add: (part: T[]) => Promise<unknown>) {
  for (const part of chunks(all, STAGE_CHUNK)) {
    await add(part);
    await redis.expire(key, STAGED_TTL_SECONDS);
  }
}
