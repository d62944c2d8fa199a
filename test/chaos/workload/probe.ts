import { setTimeout as pause } from 'node:timers/promises';
import { pauseUntil } from '#stack/processes/pause.js';
import type { Client } from './client.js';

/** In one sale a new buyer comes this often, in ms. Recovery is measured with this precision. */
const EVERY_MS = 200;
/** The same where several sales are probed. All together they must not be the load of the run. */
const EACH_EVERY_MS = 800;
const REST_MS = 100;
/** A probe that takes longer counts as this long, in ms. */
export const GIVE_UP_MS = 60_000;

/** The times at which a fresh buyer came, and at which the order was seen. In ms since the epoch. */
export interface Probe {
  saleId: string;
  fromMs: number;
  placedMs: number;
}

/**
 * Sends a fresh buyer to each sale again and again, who claims and waits for the order.
 *
 * @param saleIds sales with a unit for every buyer
 * @param signal ends the stream of buyers
 * @returns the buyers whose orders were placed
 */
export async function runProbes(client: Client, saleIds: readonly string[], signal: AbortSignal): Promise<Probe[]> {
  const probes: Promise<Probe | undefined>[] = [];
  const everyMs = saleIds.length === 1 ? EVERY_MS : EACH_EVERY_MS / saleIds.length;
  for (let number = 1; !signal.aborted; number += 1) {
    const saleId = saleIds[number % saleIds.length] as string;
    probes.push(probe(client, saleId, `probe-${number}`));
    await pauseUntil(everyMs, signal);
  }
  return (await Promise.all(probes)).filter(result => result !== undefined);
}

async function probe(client: Client, saleId: string, buyerId: string): Promise<Probe | undefined> {
  const fromMs = Date.now();
  const placed = new Set<string | undefined>(['pending_payment', 'paid', 'cancelled']);
  let call: 'buy' | 'order-status' = 'buy';
  let receipt: string | undefined;
  while (Date.now() < fromMs + GIVE_UP_MS) {
    const answer = await client.ask(call, saleId, buyerId, { receipt });
    if (placed.has(answer.status)) return { saleId, fromMs, placedMs: Date.now() };
    // Redis has lost the claim. Another probe shows when claims are placed again.
    if (answer.status === 'rejected') return undefined;
    if (answer.claimId) call = 'order-status';
    receipt = answer.receipt ?? receipt;
    await pause(REST_MS);
  }
  return undefined;
}
