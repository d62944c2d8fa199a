import { randomUUID } from 'node:crypto';
import { ConfigError } from '../../process/config.js';
import { crashPoint } from '../../process/crash-point.js';
import { type ClaimRecord, formatClaimRecord, isLive } from '../../rules/claim.js';
import { hasPurchaseRules, type Sale, standbyCap } from '../../rules/sale.js';
import { chunks } from '../../values/chunks.js';
import type { Redis } from '../connection.js';
import { allKeysOf, keysOf, registryKeyOf } from '../keys.js';
import { adoptLayout, unlessMoved } from '../layout.js';
import { refuseMoved } from '../replies.js';
import { runScript } from '../scripts.js';
import { readRunId } from './sale.js';

/** Elements per command while the temporary keys of a sale are filled: a few hundred kB. */
const STAGE_CHUNK = 5_000;

/** Lifetime of temporary keys that never became a sale, in s. */
const STAGED_TTL_SECONDS = 600;

/**
 * The buyers with which a sale is loaded into Redis. It is empty for a new sale. For a sale that Redis lost, it comes
 * from Postgres and the remains in Redis.
 */
export interface StartingState {
  claims: (ClaimRecord & { buyerId: string })[];
  /** The claims that have no order yet, each with the time of its win in ms. */
  outbox: { buyerId: string; wonAtMs: number }[];
  /** The ids of the buyers on standby, first one first. */
  standby: string[];
  /** The numbers of the units that were refunded and do not return to stock. */
  withdrawn?: number[];
}

const NOTHING: StartingState = { claims: [], outbox: [], standby: [] };

/**
 * How a sale is opened. `gate` is the token that the caller wrote as the sale's run id, so that scripts refuse the sale
 * meanwhile.
 */
export interface Opening {
  state?: StartingState | undefined;
  gate?: string | undefined;
}

/**
 * Loads a sale into Redis and marks it as verified for this run of Redis, so that scripts use it. Any earlier content
 * is replaced.
 *
 * @returns false when another process has opened or changed the sale since: then nothing changed
 * @throws Error when Redis restarts repeatedly meanwhile; ConfigError for purchase rules, which a Redis Cluster cannot
 * keep; ioredis's error
 */
export async function openSale(
  redis: Redis,
  sale: Sale,
  { state = NOTHING, gate = '' }: Opening = {},
): Promise<boolean> {
  await refuseRulesOnCluster(redis, sale);
  for (let attempt = 0; attempt < 3; attempt += 1) {
    const runId = await readRunId(redis);
    // The script refuses when Redis was restarted or the keys were moved since, so that no sale is opened under names that nobody else uses.
    await adoptLayout(redis);
    // The sale enters the registry first: if this process dies now, reconcile sees that Postgres has a later generation, and loads the
    // sale. The script writes the true generation.
    const registered = await redis.hsetnx(registryKeyOf(sale.id), sale.id, 0).catch(refuseMoved).catch(unlessMoved);
    if (registered === undefined) continue;
    const keys = stagedKeysOf(sale.id);
    try {
      const counts = await stage(redis, keys, sale, state);
      await crashPoint('rebuild.staged');
      const args = [runId, gate, sale.generation, ...counts, ...fieldsOf(sale)];
      const outcome = await runScript(redis, 'open-sale', { keys: [...allKeysOf(sale.id), ...keys], args });
      if (outcome === 'opened') return true;
      if (outcome === 'superseded') return false;
    } finally {
      // After the swap the temporary keys are gone, and unlinking them is a no-op. If Redis is away, they expire.
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
 * Refuses purchase rules on a Redis Cluster. Their keys belong to the buyer, and a script there reaches the keys of one
 * sale only.
 *
 * @throws ConfigError when the sale has such rules and Redis is a cluster
 */
export async function refuseRulesOnCluster(redis: Redis, sale: Parameters<typeof hasPurchaseRules>[0]): Promise<void> {
  if (!hasPurchaseRules(sale) || !(await redis.info('cluster')).includes('cluster_enabled:1')) return;
  throw new ConfigError(
    'one purchase at a time and a pause between purchases are not available on a Redis Cluster: leave them off, or use one Redis',
  );
}

/** The temporary keys in which the stock, claims, outbox and standby of a sale are prepared. */
type StagedKeys = [stock: string, claims: string, outbox: string, standby: string];

function stagedKeysOf(saleId: string): StagedKeys {
  const { stock, claims, outbox, standby } = keysOf(saleId);
  const suffix = `:staged:${randomUUID()}`;
  return [stock + suffix, claims + suffix, outbox + suffix, standby + suffix];
}

/**
 * Fills the temporary keys of a sale. Units are free unless a live claim has them or they were withdrawn (refunded
 * without restock).
 *
 * @returns the number of elements in each key
 */
async function stage(redis: Redis, keys: StagedKeys, sale: Sale, state: StartingState): Promise<number[]> {
  const [stock, claims, outbox, standby] = keys;
  const taken = new Set([...(state.withdrawn ?? []), ...state.claims.filter(c => isLive(c.status)).map(c => c.unit)]);
  const free = Array.from({ length: sale.units }, (_, i) => i + 1).filter(unit => !taken.has(unit));
  const tickets = state.standby.map((buyerId, i) => [i + 1, buyerId] as const);
  const records = (part: StartingState['claims']) => part.flatMap(c => [c.buyerId, formatClaimRecord(c)]);
  await fill(redis, stock, free, part => redis.rpush(stock, ...part));
  await fill(redis, claims, state.claims, part => redis.hset(claims, ...records(part)));
  await fill(redis, outbox, state.outbox, part => redis.zadd(outbox, ...part.flatMap(e => [e.wonAtMs, e.buyerId])));
  await fill(redis, standby, tickets, part => redis.zadd(standby, ...part.flat()));
  return [free.length, state.claims.length, state.outbox.length, state.standby.length];
}

/**
 * Fills one temporary key in several parts. It gets an expiry with the first part, so that a crash leaves nothing
 * behind.
 */
async function fill<T>(redis: Redis, key: string, all: readonly T[], add: (part: T[]) => Promise<unknown>) {
  for (const part of chunks(all, STAGE_CHUNK)) {
    await add(part);
    await redis.expire(key, STAGED_TTL_SECONDS);
  }
}
