import { setTimeout as pause } from 'node:timers/promises';
import { pauseUntil } from '#stack/processes/pause.js';
import type { Client } from '../workload/client.js';
import type { Fault } from './faults.js';

/** A new buyer tries this often, in ms; so recovery is measured to within this time. */
const EVERY_MS = 200;
const REST_MS = 100;
const GIVE_UP_MS = 60_000;

/** When a fresh buyer came, and when their order was seen. */
export interface Probe {
  fromMs: number;
  placedMs: number;
}

/**
 * Sends a fresh buyer all the time, who claims and waits for the order.
 *
 * @param client asks for them
 * @param saleId has units for all
 * @param signal nobody comes any more
 * @returns those whose order was placed
 */
export async function probeAlways(client: Client, saleId: string, signal: AbortSignal): Promise<Probe[]> {
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

/**
 * @param faults what was broken
 * @param probes the fresh buyers
 * @returns for each fault, ms until the claim of a buyer who came after it was placed
 */
export function recoveries(faults: readonly Fault[], probes: readonly Probe[]): number[] {
  return faults.map(({ atMs }) => {
    const later = probes.filter(({ fromMs }) => fromMs >= atMs).map(({ placedMs }) => placedMs - atMs);
    return later.length > 0 ? Math.min(...later) : GIVE_UP_MS;
  });
}

/**
 * @param values any
 * @param share 0 to 1
 * @returns the value that this share of them doesn't exceed
 */
export function percentile(values: readonly number[], share: number): number {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[Math.max(0, Math.ceil(sorted.length * share) - 1)] ?? 0;
}
