import { isDeepStrictEqual } from 'node:util';
import { expect } from '@jest/globals';
import type { Redis } from '#core/redis/connection.js';
import { keysOf } from '#core/redis/keys.js';
import { openSale } from '#core/redis/sale/open-sale.js';
import { readRunId } from '#core/redis/sale/sale.js';
import { isLive } from '#core/rules/claim.js';
import { readSnapshot } from '../redis/snapshot.js';
import { aSale } from '../sales.js';
import { BUYERS, purchaseKeysOf, type Run } from './command.js';
import { SaleModel } from './sale-model.js';
import type { Picture, Terms } from './terms.js';

/** Longer than any run, in s. A command ends a pause earlier. */
const PAUSE_SECONDS = 100_000;

/** Opens a sale in Redis and in the model. No buyer has bought yet. */
export async function createRun(redis: Redis, { hasPause, ...terms }: Terms): Promise<Run> {
  await redis.del(...BUYERS.flatMap(purchaseKeysOf));
  const sale = aSale({ ...terms, minSecondsBetweenPurchases: hasPause ? PAUSE_SECONDS : 0 });
  await openSale(redis, sale);
  return { sale, runId: await readRunId(redis), model: new SaleModel({ hasPause, ...terms }), won: [], next: 0 };
}

/** Reads a sale from Redis, with the locks and pauses of its buyers. */
export async function readPicture(redis: Redis, { sale: { id }, runId }: Run): Promise<Picture> {
  const [snapshot, states, purchases] = await Promise.all([
    readSnapshot(redis, id),
    redis.hmget(keysOf(id).sale, 'state', 'stateGeneration'),
    redis.mget(BUYERS.flatMap(purchaseKeysOf)),
  ]);
  if (!snapshot) throw new Error(`sale ${id} is gone`);
  const { units, standbyCap: cap, stock, claims, standby } = snapshot;
  return {
    units,
    cap,
    state: states[0] as Picture['state'],
    generation: Math.max(snapshot.generation, Number(states[1])),
    gate: snapshot.runId === runId ? '' : snapshot.runId,
    stock,
    claims,
    outbox: [...snapshot.outbox.keys()].sort(),
    standby,
    locks: new Map(BUYERS.flatMap((one, i) => (purchases[2 * i] ? [[one, purchases[2 * i] as string]] : []))),
    pausing: new Set(BUYERS.filter((_, i) => purchases[2 * i + 1])),
  };
}

/**
 * Expects the invariants, independent of the model's answers: each unit exists once, each claim has one buyer, and only
 * live claims are in the outbox.
 */
export function expectSound({ stock, claims, outbox }: Picture, { units, withdrawn }: SaleModel): void {
  const live = [...claims].filter(([, claim]) => isLive(claim.status));
  const all = [...stock, ...live.map(([, claim]) => claim.unit), ...withdrawn];
  same(
    all.sort((a, b) => a - b),
    Array.from({ length: units }, (_, i) => i + 1),
  );
  same(new Set(live.map(([, claim]) => claim.claimId)).size, live.length);
  same(
    outbox.filter(buyerId => !live.some(([holder]) => holder === buyerId)),
    [],
  );
}

/** Expects equal values. Jest compares only different ones: its comparison takes longer than all other work of a run. */
export function same(received: unknown, expected: unknown): void {
  if (!isDeepStrictEqual(received, expected)) expect(received).toEqual(expected);
}
