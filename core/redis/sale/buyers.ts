import type { BuyerChange } from '../feed/changes.js';
import type { Shards } from '../shards.js';
import { claimPages, standbyPages } from './content.js';

/**
 * Reads every claim of a sale and everybody on standby in small parts, so that Redis is never blocked for long. A
 * change during the scan may be seen or missed. A caller who also applies the messages of the change feed gets an exact
 * result.
 *
 * @param take receives each buyer, possibly twice
 * @throws ioredis's error
 */
export async function scanBuyers(redis: Shards, saleId: string, take: (buyer: BuyerChange) => void): Promise<void> {
  for await (const page of claimPages(redis, saleId)) {
    for (const [buyerId, record] of page) take({ kind: 'claim', buyerId, record });
  }
  for await (const page of standbyPages(redis, saleId)) {
    for (const { buyerId } of page) take({ kind: 'joined', buyerId });
  }
}
