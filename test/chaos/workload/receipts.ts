import { setTimeout as pause } from 'node:timers/promises';
import type { Client, Receipt } from './client.js';
import type { Query } from './query.js';

/** The time between two questions of a buyer, in ms. */
const REST_MS = 200;

/**
 * Lets the buyers of claims that have no order come back with their receipts, as those do who want to know. A claim that Redis lost
 * is restored, or its buyer reads that it is lost.
 *
 * @param limitMs a buyer without an answer goes home after this time, in ms
 */
export async function returnWithReceipts(client: Client, query: Query, limitMs: number): Promise<void> {
  const placed = new Set((await query('SELECT id FROM orders')).map(({ id }) => id));
  const open = client.receipts().filter(({ claimId }) => !placed.has(claimId));
  await Promise.all(open.map(receipt => comeBack(client, receipt, performance.now() + limitMs)));
}

async function comeBack(client: Client, { claimId, saleId, buyerId, receipt }: Receipt, endsAt: number): Promise<void> {
  while (performance.now() < endsAt) {
    const answer = await client.ask('order-status', saleId, buyerId, { receipt });
    if (answer.http === 200 && !(answer.claimId === claimId && answer.status === 'queued')) return;
    await pause(REST_MS);
  }
}
