import { claimPages, readFacts } from '../redis/sale/content.js';
import { countGroup, readGroupCounts } from '../redis/sale/groups.js';
import type { Shards } from '../redis/shards.js';
import { type ClaimRecord, parseClaimRecord } from '../rules/claim.js';
import type { Sale } from '../rules/sale.js';

/** How often a sale that changes meanwhile is read. In a rush, an audit says nothing about groups. */
const TRIES = 3;

/**
 * Compares the counts of groups in Redis with its claims, from which they follow. They are not read at one instant, so only a reading
 * during which the sale did not change counts.
 *
 * @returns the fault, one line of text; empty for a sale without a limit
 */
export async function groupFaults(redis: Shards, { id, perGroup }: Sale): Promise<string[]> {
  if (perGroup === 0) return [];
  for (let tries = 0; tries < TRIES; tries += 1) {
    const { version } = await readFacts(redis, id);
    // A claim may come twice.
    const claims = new Map<string, ClaimRecord>();
    for await (const page of claimPages(redis, id)) {
      for (const [buyerId, record] of page) claims.set(buyerId, parseClaimRecord(record));
    }
    const right = new Map<string, number>();
    for (const claim of claims.values()) countGroup(right, claim, 1);
    const counted = await readGroupCounts(redis, id);
    if ((await readFacts(redis, id)).version !== version) continue;
    const fields = [...new Set([...right.keys(), ...counted.keys()])];
    const wrong = fields.filter(field => (right.get(field) ?? 0) !== (counted.get(field) ?? 0));
    return wrong.length === 0 ? [] : [`groups: wrong counts of ${wrong.slice(0, 20).join(', ')}`];
  }
  return [];
}
