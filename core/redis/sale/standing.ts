import { STRUCK_FROM } from '../../draw/lot.js';
import type { SaleState } from '../../rules/sale.js';
import { keysOf } from '../keys.js';
import { msOf, repliesOf, runIdOf } from '../replies.js';
import type { Shards } from '../shards.js';

/** The settings and counts of a sale in Redis at one instant, without its buyers. */
export interface Standing {
  version: number;
  free: number;
  /** The number of buyers on standby who have no strike: the others stand behind, and have room of their own. */
  waiting: number;
  standbyCap: number;
  /** After as many ends without payment a buyer gets nothing any more; 0 for no limit. */
  unpaidLimit: number;
  state: SaleState;
  opensAtMs: number;
  closesAtMs: number;
  /** The sale is hidden until then; 0 for a sale that is never hidden. */
  announceAtMs: number;
  verified: boolean;
  /** The number of buyers who have or had a claim. */
  claims: number;
  /** Redis's clock at the instant of reading, in ms since the epoch. */
  nowMs: number;
}

/**
 * Reads the settings and counts of a sale from Redis; a sale that is not loaded counts as not verified.
 *
 * @throws ioredis's error
 */
export async function readStanding(redis: Shards, saleId: string): Promise<Standing> {
  const keys = keysOf(saleId);
  const replies = await redis
    .of(saleId)
    .multi()
    .hmget(
      keys.sale,
      'version',
      'standbyCap',
      'state',
      'opensAtMs',
      'closesAtMs',
      'runId',
      'announceAtMs',
      'unpaidLimit',
    )
    .llen(keys.stock)
    .zcount(keys.standby, '-inf', `(${STRUCK_FROM}`)
    .hlen(keys.claims)
    .info('server')
    .time()
    .exec();
  const [sale, free, waiting, claims, server, time] =
    repliesOf<[(string | null)[], number, number, number, string, [string, string]]>(replies);
  const [version, standbyCap, state, opensAtMs, closesAtMs, runId, announceAtMs, unpaidLimit] = sale;
  return {
    version: Number(version),
    free,
    waiting,
    standbyCap: Number(standbyCap),
    unpaidLimit: Number(unpaidLimit),
    state: state as SaleState,
    opensAtMs: Number(opensAtMs),
    closesAtMs: Number(closesAtMs),
    announceAtMs: Number(announceAtMs),
    verified: runId === runIdOf(server),
    claims,
    nowMs: msOf(time),
  };
}
