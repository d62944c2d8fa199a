import type { Redis } from '../connection.js';
import type { BuyerChange } from '../feed/changes.js';
import { keysOf } from '../keys.js';

/** Approximate number of entries that one HSCAN or ZSCAN returns. */
const SCAN_COUNT = 1_000;

/**
 * Reads every claim of a sale and everybody on standby in small parts, so that Redis is never blocked for long. A
 * change during the scan may be seen or missed. A caller who also applies the messages of the change feed gets an exact
 * result.
 *
 * @param take receives each buyer, possibly twice
 * @throws ioredis's error
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
