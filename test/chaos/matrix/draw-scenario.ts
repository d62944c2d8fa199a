import { randomUUID } from 'node:crypto';
import { createSale, type NewSale } from '#core/operator/create-sale.js';
import { SECOND_MS } from '#core/rules/clock.js';
import { ordinarySale } from '#stack/crowd/open-sale.js';
import { until } from '#stack/processes/until.js';
import type { Connections } from '#stack/stores/connections.js';
import type { History } from '../history/history.js';
import { fillWallets } from '../workload/bank.js';
import type { Client } from '../workload/client.js';
import { returnWithEntries } from '../workload/draws.js';
import type { Random } from '../workload/random.js';
import { visitSale } from '../workload/visit.js';
import { PRICE_MINOR } from '../workload/world.js';

/** Longer than the buyers take to join, in ms. They join while no worker runs, and it opens soon after a worker has started. */
const OPENS_IN_MS = 4 * SECOND_MS;

/** Buyers wait for a failed process, which is whole again after 17 s of a pause, in ms. */
const PATIENCE_MS = 60 * SECOND_MS;

const BUYERS = Array.from({ length: 8 }, (_, i) => `entrant-${i + 1}`);

/** The parts of the scenario. */
export interface DrawOptions {
  connections: Connections;
  client: Client;
  history: History;
  /** Decides what the plans leave open. */
  random: Random;
  /** Starts the worker, which may fail. */
  startWorker(): Promise<unknown>;
}

/**
 * Runs a draw: buyers join, some leave, others come after the opening, and the first ones pay.
 */
export async function runDraw(options: DrawOptions): Promise<NewSale> {
  const { connections, client, history, random, startWorker } = options;
  const opensAtMs = Date.now() + OPENS_IN_MS;
  const sale = ordinarySale({
    id: `draw-${randomUUID().slice(0, 8)}`,
    opening: 'draw',
    joinsAtMs: Date.now() - SECOND_MS,
    opensAtMs,
    units: 3,
    priceMinor: PRICE_MINOR,
    payWithinSeconds: 2,
    standbyFactor: 2,
  });
  await createSale(connections, sale);
  await fillWallets(connections, history, BUYERS);
  for (const buyerId of BUYERS) await client.ask('buy', sale.id, buyerId);
  await client.ask('cancel', sale.id, 'entrant-2');
  await startWorker();
  await until(async () => Date.now() > opensAtMs, 2 * OPENS_IN_MS);
  const visits = [...BUYERS.slice(2), 'late'].map((buyerId, i) =>
    visitSale(client, random, {
      saleId: sale.id,
      buyerId,
      clicks: 1,
      withUnit: i % 2 === 0 ? 'pay' : 'leave',
      returns: 0,
      patienceMs: i < 2 ? PATIENCE_MS : 4 * OPENS_IN_MS,
    }),
  );
  await Promise.all(visits);
  await returnWithEntries(client, PATIENCE_MS);
  return sale;
}
