import { keysOf, unstoredKeyOf } from '../keys.js';
import { msOf, repliesOf, runIdOf } from '../replies.js';
import type { Shards } from '../shards.js';

/** Whether a line may still get entries, at one instant. */
export interface Joining {
  /** Whether the sale was compared with Postgres in this run of Redis. */
  isVerified: boolean;
  /** Whether the opening has come, by Redis's clock. */
  hasOpened: boolean;
  /** The number of entries that Postgres has to store. */
  unstored: number;
}

/** Reads whether the line of a sale may still get entries. */
export async function readJoining(redis: Shards, saleId: string): Promise<Joining> {
  const [sale, unstored, time, info] = await redis
    .of(saleId)
    .multi()
    .hmget(keysOf(saleId).sale, 'opensAtMs', 'runId')
    .zcard(unstoredKeyOf(saleId))
    .time()
    .info('server')
    .exec()
    .then(repliesOf<[(string | null)[], number, [string, string], string]>);
  const [opensAtMs, runId] = sale;
  return {
    isVerified: runId != null && runId === runIdOf(info),
    hasOpened: opensAtMs != null && msOf(time) >= Number(opensAtMs),
    unstored,
  };
}
