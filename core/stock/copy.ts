import type { Redis } from '../redis.js';
import type { SaleState } from '../sale.js';
import type { BuyerChange } from './changes.js';
import { keysOf } from './keys.js';
import { msOf, repliesOf, runIdOf } from './replies.js';

/** How many entries one round trip of a scan brings, about. */
const SCAN_COUNT = 1_000;

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

/**
 * Reads every claim and everybody in line, piece by piece, so that Redis does nothing else only for moments. What changes
 * meanwhile is seen as it was or as it is; applying the changes that came since makes it right.
 *
 * @param redis a connection
 * @param saleId the sale
 * @param take given each buyer, some perhaps twice
 * @throws what ioredis throws
 */
export async function scanBuyers(redis: Redis, saleId: string, take: (buyer: BuyerChange) => void): Promise<void> {
  const keys = keysOf(saleId);
  await scan(
    cursor => redis.hscan(keys.claims, cursor, 'COUNT', SCAN_COUNT),
    (buyerId, record) => take({ kind: 'claim', buyerId, record }),
  );
  await scan(
    cursor => redis.zscan(keys.standby, cursor, 'COUNT', SCAN_COUNT),
    buyerId => take({ kind: 'joined', buyerId }),
  );
}

async function scan(
  page: (cursor: string) => Promise<[cursor: string, entries: string[]]>,
  take: (name: string, value: string) => void,
): Promise<void> {
  let cursor = '0';
  do {
    const [next, entries] = await page(cursor);
    for (let i = 0; i < entries.length; i += 2) take(entries[i] as string, entries[i + 1] as string);
    cursor = next;
  } while (cursor !== '0');
}
