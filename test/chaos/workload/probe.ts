import { setTimeout as pause } from 'node:timers/promises';
import { pauseUntil } from '#stack/processes/pause.js';
import type { Client } from './client.js';

/** A new buyer comes this often, in ms. Recovery is measured with this precision. */
const EVERY_MS = 200;
const REST_MS = 100;
/** A probe that takes longer counts as this long, in ms. */
export const GIVE_UP_MS = 60_000;

/** The times at which a fresh buyer came, and at which the order was seen. In ms since the epoch. */
export interface Probe {
  fromMs: number;
  placedMs: number;
}

/**
 * Sends a fresh buyer again and again, who claims and waits for the order.
 *
 * @param saleId a sale with a unit for every buyer
 * @param signal ends the stream of buyers
 * @returns the buyers whose orders were placed
 */
export async function runProbes(client: Client, saleId: string, signal: AbortSignal): Promise<Probe[]> {
  const probes: Promise<Probe | undefined>[] = [];
  for (let number = 1; !signal.aborted; number += 1) {
    probes.push(probe(client, saleId, `probe-${number}`));
    await pauseUntil(EVERY_MS, signal);
  }
  return (await Promise.all(probes)).filter(result => result !== undefined);
}

async function probe(client: Client, saleId: string, buyerId: string): Promise<Probe | undefined> {
  const fromMs = Date.now();
  const placed = new Set<string | undefined>(['pending_payment', 'paid', 'cancelled']);
  let call: 'buy' | 'order-status' = 'buy';
  while (Date.now() < fromMs + GIVE_UP_MS) {
    const answer = await client.ask(call, saleId, buyerId);
    if (placed.has(answer.status)) return { fromMs, placedMs: Date.now() };
    if (answer.claimId) call = 'order-status';
    await pause(REST_MS);
  }
  return undefined;
}
