import type { SaleState } from '../../rules/sale.js';
import type { Redis } from '../connection.js';
import { keysOf } from '../keys.js';
import { msOf, repliesOf, runIdOf } from '../replies.js';

/** How a sale stands at one instant, without its buyers. */
export interface Standing {
  version: number;
  free: number;
  waiting: number;
  standbyCap: number;
  state: SaleState;
  opensAtMs: number;
  closesAtMs: number;
  verified: boolean;
  /** Buyers who have or had a claim. */
  claims: number;
  /** Redis's clock at that instant, in ms since the epoch. */
  nowMs: number;
}

/**
 * @param redis a connection
 * @param saleId the sale
 * @returns how it stands; of a sale that isn't loaded, as one that isn't verified
 * @throws what ioredis throws
 */
export async function readStanding(redis: Redis, saleId: string): Promise<Standing> {
  const keys = keysOf(saleId);
  const replies = await redis
    .multi()
    .hmget(keys.sale, 'version', 'standbyCap', 'state', 'opensAtMs', 'closesAtMs', 'runId')
    .llen(keys.stock)
    .zcard(keys.standby)
    .hlen(keys.claims)
    .info('server')
    .time()
    .exec();
  const [sale, free, waiting, claims, server, time] =
    repliesOf<[(string | null)[], number, number, number, string, [string, string]]>(replies);
  const [version, standbyCap, state, opensAtMs, closesAtMs, runId] = sale;
  return {
    version: Number(version),
    free,
    waiting,
    standbyCap: Number(standbyCap),
    state: state as SaleState,
    opensAtMs: Number(opensAtMs),
    closesAtMs: Number(closesAtMs),
    verified: runId === runIdOf(server),
    claims,
    nowMs: msOf(time),
  };
}
