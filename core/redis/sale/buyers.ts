import type { Redis } from '../connection.js';
import type { BuyerChange } from '../feed/changes.js';
import { keysOf } from '../keys.js';

/** How many entries one round trip of a scan brings, about. */
const SCAN_COUNT = 1_000;

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
