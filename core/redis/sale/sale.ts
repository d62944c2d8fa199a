import {
  type LateMoney,
  type LineState,
  type OpeningKind,
  type ProviderName,
  type Sale,
  type SaleState,
  type Settlement,
  standbyCap,
} from '../../rules/sale.js';
import type { Redis } from '../connection.js';
import {
  allKeysOf,
  bucketOf,
  drawKeyOf,
  entriesKeyOf,
  groupsKeyOf,
  keysOf,
  MARKS,
  markKeyOf,
  newsKeyOf,
  payClicksKeyOf,
  paymentsKeyOf,
  placingKeyOf,
  registryKeyOf,
  unstoredKeyOf,
} from '../keys.js';
import { msOf, refuseMoved, repliesOf, runIdOf } from '../replies.js';
import { behindFence, runScript } from '../scripts.js';
import type { Shards } from '../shards.js';

/** Reads the run id of a server of Redis, which differs after each start and on each replica. */
export async function readRunId(redis: Pick<Redis, 'info'>): Promise<string> {
  const runId = runIdOf(await redis.info('server'));
  if (!runId) throw new Error('Redis does not tell its run id');
  return runId;
}

/**
 * The fields of a loaded sale that may change. `generation` counts an operator's changes. `stateGeneration` accompanies
 * a state that arrives before the rest of its generation.
 */
export type SaleChange = Partial<{ state: SaleState; stateGeneration: number; generation: number; runId: string }>;

/**
 * Changes a sale that is loaded in Redis. Redis's own run id in `runId` marks the sale as compared with Postgres. Any
 * other value shuts the gate, so that scripts refuse the sale.
 *
 * @param options `generation` of the values: a sale of a later generation stays unchanged
 * @returns false when the sale is not loaded
 */
export async function setSale(
  redis: Shards,
  saleId: string,
  change: SaleChange,
  { generation }: { generation?: number | undefined } = {},
): Promise<boolean> {
  const fields = Object.entries(change).flat() as (string | number)[];
  return (
    (await runScript(redis.of(saleId), 'set-sale', {
      keys: [keysOf(saleId).sale],
      args: [generation ?? '-', ...fields],
    })) !== 0
  );
}

/**
 * Copies an operator's changes of a sale from Postgres to Redis. The whole sale is copied, as earlier changes may have
 * been lost. The state goes first, as a pause must not wait for a restock. The generation, which counts the changes,
 * goes last: while it differs from Postgres, reconcile knows that something is missing. Newer values in Redis stay.
 *
 * @returns false when the sale is not loaded
 * @throws NotVerified when the sale was not yet compared with Postgres in this run of Redis; ioredis's error
 */
export async function carryOver(redis: Shards, sale: Sale): Promise<boolean> {
  const { id, state, generation } = sale;
  if (!(await setSale(redis, id, { state, stateGeneration: generation }, { generation }))) return false;
  await restock(redis, sale);
  return setSale(redis, id, { generation }, { generation });
}

/**
 * Adds units to a sale in Redis, up to its number of units in Postgres. Idempotent.
 *
 * @param sale the sale with its new number of units
 * @returns the number of units added
 * @throws NotVerified when the sale is not loaded, or not yet compared with Postgres in this run of Redis
 */
export async function restock(redis: Shards, sale: Pick<Sale, 'id' | 'units' | 'standbyFactor'>): Promise<number> {
  const keys = keysOf(sale.id);
  let added = 0;
  for (;;) {
    const reply = await runScript(redis.of(sale.id), 'restock', {
      keys: [keys.sale, keys.stock],
      args: [sale.units, standbyCap(sale)],
    });
    const [units = 0] = behindFence<number>(reply, sale.id);
    if (units === 0) return added;
    added += units;
  }
}

/** A sale as Redis holds it, with its current counts of units and buyers. */
export interface LoadedSale extends Omit<Sale, 'standbyFactor'> {
  standbyCap: number;
  /** Whether the order of the line was made; undefined for a rush. */
  line?: LineState | undefined;
  /** The secret that hides who has joined, in hexadecimal digits; undefined for a rush. */
  saltKey?: string | undefined;
  /** The run id of Redis for which the sale was compared with Postgres; '' for none. */
  runId: string;
  remaining: number;
  claims: number;
  waiting: number;
  unplaced: number;
  /** Redis's clock, in ms since the epoch. */
  nowMs: number;
}

/**
 * Reads a sale from Redis; undefined when it is not loaded.
 *
 * @throws ioredis's error
 */
export async function readLoadedSale(redis: Shards, saleId: string): Promise<LoadedSale | undefined> {
  const keys = keysOf(saleId);
  const replies = await redis
    .of(saleId)
    .pipeline()
    .hgetall(keys.sale)
    .llen(keys.stock)
    .hlen(keys.claims)
    .zcard(keys.standby)
    .zcard(keys.outbox)
    .time()
    .exec();
  const [fields, remaining, claims, waiting, unplaced, time] =
    repliesOf<[Record<string, string>, number, number, number, number, [string, string]]>(replies);
  if (!fields.generation) return undefined;
  return {
    id: saleId,
    title: fields.title ?? '',
    priceMinor: Number(fields.priceMinor),
    currency: fields.currency ?? '',
    units: Number(fields.units),
    opensAtMs: Number(fields.opensAtMs),
    closesAtMs: Number(fields.closesAtMs),
    payWithinSeconds: Number(fields.payWithinSeconds),
    settlement: fields.settlement as Settlement,
    // A sale loaded by an earlier version lacks `provider` and `lateMoney`, and keeps the behaviour of that version.
    provider: (fields.provider ?? 'wallet') as ProviderName,
    lateMoney: (fields.lateMoney ?? 'regrab') as LateMoney,
    state: fields.state as SaleState,
    generation: Number(fields.generation),
    standbyCap: Number(fields.standbyCap),
    // A sale loaded by an earlier version lacks it.
    opening: (fields.opening ?? 'rush') as OpeningKind,
    joinsAtMs: fields.joinsAtMs === undefined ? undefined : Number(fields.joinsAtMs),
    line: fields.draw as LineState | undefined,
    saltKey: fields.saltKey,
    onePurchaseAtATime: fields.onePurchaseAtATime === '1',
    minSecondsBetweenPurchases: Number(fields.minSecondsBetweenPurchases ?? 0),
    ...robotRulesIn(fields),
    runId: fields.runId ?? '',
    remaining,
    claims,
    waiting,
    unplaced,
    nowMs: msOf(time),
  };
}

/** Reads the rules about robots from the fields of a sale. One that an earlier version has loaded has none. */
function robotRulesIn(fields: Record<string, string>) {
  const numberIn = (text: string | undefined) => (text === undefined ? undefined : Number(text));
  return {
    unpaidLimit: Number(fields.unpaidLimit ?? 0),
    retryPayWithinSeconds: numberIn(fields.retryPayWithinSeconds),
    perGroup: Number(fields.perGroup ?? 0),
    needsPass: fields.needsPass === '1',
    passWork: Number(fields.passWork ?? 0),
    announceAtMs: numberIn(fields.announceAtMs),
    coarseStock: fields.coarseStock === '1',
    unitSeed: fields.unitSeed,
  };
}

const OTHER_KEYS = [
  paymentsKeyOf,
  payClicksKeyOf,
  placingKeyOf,
  newsKeyOf,
  entriesKeyOf,
  unstoredKeyOf,
  drawKeyOf,
  groupsKeyOf,
] as const;

/** Removes a sale that ended long ago from Redis. */
export async function dropSale(redis: Shards, saleId: string): Promise<void> {
  // The sale leaves the registry that belongs to the keys: if they are moved meanwhile, this fails, and the next round removes it.
  const registry = registryKeyOf(saleId);
  const others = OTHER_KEYS.map(keyOf => keyOf(saleId));
  const server = redis.of(saleId);
  await server.unlink(...allKeysOf(saleId), ...others);
  for (const mark of MARKS) await server.srem(markKeyOf(bucketOf(saleId), mark), saleId);
  await server.hdel(registry, saleId).catch(refuseMoved);
}
