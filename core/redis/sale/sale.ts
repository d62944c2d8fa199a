import {
  type LateMoney,
  type ProviderName,
  type Sale,
  type SaleState,
  type Settlement,
  standbyCap,
} from '../../rules/sale.js';
import type { Redis } from '../connection.js';
import { allKeysOf, keysOf, paymentsKeyOf, REGISTRY } from '../keys.js';
import { msOf, repliesOf, runIdOf } from '../replies.js';
import { behindFence, runScript } from '../scripts.js';

/**
 * @param redis a connection
 * @returns the id of this run of Redis: another one after each start, and on each replica
 */
export async function readRunId(redis: Redis): Promise<string> {
  const runId = runIdOf(await redis.info('server'));
  if (!runId) throw new Error('Redis does not tell its run id');
  return runId;
}

/** Fields of a loaded sale that may change. `stateGeneration` goes with a state that is told before the rest of its generation. */
export type SaleChange = Partial<{ state: SaleState; stateGeneration: number; generation: number; runId: string }>;

/**
 * Changes a loaded sale. With `runId` it verifies the sale for a run of Redis, or closes the
 * gate with any other value.
 *
 * @param redis a connection with the scripts
 * @param saleId the sale
 * @param change what changes
 * @param generation that the values are of: a sale of a later one stays as it is. None for what belongs to no generation
 * @returns false when the sale isn't loaded
 */
export async function setSale(redis: Redis, saleId: string, change: SaleChange, generation?: number): Promise<boolean> {
  const fields = Object.entries(change).flat() as (string | number)[];
  return (await runScript(redis, 'set-sale', [keysOf(saleId).sale], [generation ?? '-', ...fields])) !== 0;
}

/**
 * Carries an operator's changes over from Postgres: all of the sale, as an earlier change may have got no further than there. The
 * state comes first, as a pause must not wait for a restock. The generation comes last: as long as it differs, reconcile sees that
 * something is missing. What is newer in Redis stays, also when it is on its way at the same time.
 *
 * @param redis a connection with the scripts
 * @param sale the sale, as Postgres has it
 * @returns false when the sale isn't loaded
 * @throws NotVerified when the sale isn't verified; what ioredis throws
 */
export async function carryOver(redis: Redis, sale: Sale): Promise<boolean> {
  const { id, state, generation } = sale;
  if (!(await setSale(redis, id, { state, stateGeneration: generation }, generation))) return false;
  await restock(redis, sale);
  return setSale(redis, id, { generation }, generation);
}

/**
 * Adds the units up to a new number of units. Doing it again adds nothing.
 *
 * @param redis a connection with the scripts
 * @param sale the sale with its new number of units, as Postgres has it
 * @returns how many units were added
 * @throws NotVerified when the sale isn't verified
 */
export async function restock(redis: Redis, sale: Pick<Sale, 'id' | 'units' | 'standbyFactor'>): Promise<number> {
  const keys = keysOf(sale.id);
  let added = 0;
  for (;;) {
    const reply = await runScript(redis, 'restock', [keys.sale, keys.stock], [sale.units, standbyCap(sale)]);
    const [units = 0] = behindFence<number>(reply, sale.id);
    if (units === 0) return added;
    added += units;
  }
}

/** A sale as Redis has it, with what changes by the second. */
export interface LoadedSale extends Omit<Sale, 'standbyFactor'> {
  standbyCap: number;
  /** The run of Redis for which it was compared with Postgres; '' for none. */
  runId: string;
  remaining: number;
  claims: number;
  waiting: number;
  unplaced: number;
  /** Redis's clock, in ms since the epoch. */
  nowMs: number;
}

/**
 * @param redis a connection
 * @param saleId the sale
 * @returns the sale, or undefined when it isn't loaded
 * @throws what ioredis throws
 */
export async function readLoadedSale(redis: Redis, saleId: string): Promise<LoadedSale | undefined> {
  const keys = keysOf(saleId);
  const replies = await redis
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
    // A sale that was loaded by an earlier version has neither: then it is as sales were.
    provider: (fields.provider ?? 'wallet') as ProviderName,
    lateMoney: (fields.lateMoney ?? 'regrab') as LateMoney,
    state: fields.state as SaleState,
    generation: Number(fields.generation),
    standbyCap: Number(fields.standbyCap),
    onePurchaseAtATime: fields.onePurchaseAtATime === '1',
    minSecondsBetweenPurchases: Number(fields.minSecondsBetweenPurchases ?? 0),
    runId: fields.runId ?? '',
    remaining,
    claims,
    waiting,
    unplaced,
    nowMs: msOf(time),
  };
}

/**
 * Removes a sale from Redis.
 *
 * @param redis a connection
 * @param saleId a sale that ended long ago
 */
export async function dropSale(redis: Redis, saleId: string): Promise<void> {
  await redis.unlink(...allKeysOf(saleId), paymentsKeyOf(saleId));
  await redis.hdel(REGISTRY, saleId);
}
