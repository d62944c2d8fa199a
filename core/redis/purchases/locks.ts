import type { Claim } from '../../rules/claim.js';
import { guardKeyOf } from '../keys.js';
import { runScript, type ScriptName } from '../scripts.js';
import type { Redis, Shards } from '../shards.js';

// The locks of buyers on a Redis Cluster. Each is on the node of the buyer's bucket, and not on that of a sale.

/** Groups what belongs to buyers by the connection to the node that has their locks. */
export function byBucket<T extends Pick<Claim, 'buyerId'>>(
  redis: Shards,
  all: readonly T[],
): [shard: Redis, part: T[]][] {
  const parts = new Map<Redis, T[]>();
  for (const one of all) {
    const shard = redis.of(one.buyerId);
    const part = parts.get(shard);
    if (part) part.push(one);
    else parts.set(shard, [one]);
  }
  return [...parts];
}

/** Runs a script about the locks of buyers of one bucket. */
export function runLocks(
  shard: Redis,
  name: Extract<ScriptName, `${string}-locks`>,
  args: (string | number)[],
): Promise<unknown> {
  return runScript(shard, name, { keys: shard.tags.map(guardKeyOf), args });
}

/** A claim to which a lock is given, the lifetime of the lock and the pause, in ms; 0 for none. */
export interface LockedClaim extends Pick<Claim, 'buyerId' | 'claimId'> {
  lockMs: number;
  pauseMs: number;
}

/**
 * Gives locks to claims, and begins their pauses. Idempotent.
 *
 * @param attempt the reservation that becomes the lock; '' for claims that have certainly not ended
 * @throws ioredis's error
 */
export async function confirmLocks(redis: Shards, claims: readonly LockedClaim[], attempt: string): Promise<void> {
  const textOf = (part: LockedClaim[]) => part.map(c => `${c.buyerId} ${c.claimId} ${c.lockMs} ${c.pauseMs}`).join(' ');
  await Promise.all(
    byBucket(redis, claims).map(([shard, part]) => runLocks(shard, 'confirm-locks', [textOf(part), attempt])),
  );
}

/** The lock of a buyer, and who has it: an attempt to claim, or a claim. */
export interface HeldLock {
  buyerId: string;
  holder: string;
}

/**
 * Gives back locks, each only while its holder has it. Idempotent. A lock that is not given back expires.
 *
 * @throws ioredis's error
 */
export async function giveBackLocks(redis: Shards, locks: readonly HeldLock[]): Promise<void> {
  const textOf = (part: HeldLock[]) => part.map(({ buyerId, holder }) => `${buyerId} ${holder}`).join(' ');
  await Promise.all(byBucket(redis, locks).map(([shard, part]) => runLocks(shard, 'give-back-locks', [textOf(part)])));
}
