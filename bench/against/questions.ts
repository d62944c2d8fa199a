import { until } from '#stack/processes/until.js';
import { cpuSeconds } from '../measure/cpu.js';
import { type Crowd, underLoad } from '../measure/crowd.js';
import type { Figures } from '../measure/round.js';
import { COPIED_WITHIN_SECONDS } from '../questions/api/repeats.js';
import type { Buyers, Side } from './side.js';

/** The crowds of one sale, in the order of their buyers. The first three buy every unit; the last comes too late. */
export interface Crowds {
  wins: Buyers;
  latency: Buyers;
  endToEnd: Buyers;
  tooLate: Buyers;
}

const MICROS = 1e6;
/** Longer than any crowd needs, in s: a crowd ends when each buyer has asked. */
const CROWD_SECONDS = 60;
const PLACED_WITHIN_MS = 120_000;
/** Counting the orders costs Postgres a few ms. Postgres's clock gives the figure, so the count may be late. */
const COUNT_EVERY_MS = 100;

/** Asks how many claims a second the API makes. No worker runs, so the claims wait for {@link orders}. */
export async function wins(side: Side, saleId: string, buyers: Buyers): Promise<Figures> {
  const figures = await buyAll(side, saleId, buyers);
  return { winsPerSecond: figures.perSecond, winApiMicros: figures.serverMicros };
}

/** Asks for the 99th percentile of a claim's latency at a fixed rate, counted from the schedule. */
export async function latency(side: Side, saleId: string, buyers: Buyers & { perSecond: number }): Promise<Figures> {
  const { p99 } = await buyAll(side, saleId, buyers);
  return { claimP99Ms: p99 };
}

/**
 * Asks how many orders a second a worker places: first the backlog, then the orders of a crowd that buys meanwhile.
 *
 * @param crowds the claims of `wins` and `latency` are the backlog, `endToEnd` is the crowd
 */
export async function orders(side: Side, saleId: string, crowds: Crowds): Promise<Figures> {
  const backlog = { first: crowds.wins.first, count: crowds.wins.count + crowds.latency.count };
  const worker = await side.startWorker(backlog);
  try {
    const drainPerSecond = await placedPerSecond(side, backlog);
    const before = cpuSeconds(worker.pid);
    await buyAll(side, saleId, crowds.endToEnd);
    const endToEndPerSecond = await placedPerSecond(side, crowds.endToEnd);
    const orderWorkerMicros = ((cpuSeconds(worker.pid) - before) * MICROS) / crowds.endToEnd.count;
    return { drainPerSecond, endToEndPerSecond, orderWorkerMicros };
  } finally {
    await worker.stop();
  }
}

/** Asks how many orders a second a worker places and debits, for buyers whose wallets have the money. */
export async function paidOrders(side: Side, saleId: string, buyers: Buyers): Promise<Figures> {
  await side.credit(buyers);
  await buyAll(side, saleId, buyers);
  const worker = await side.startWorker(buyers);
  try {
    return { paidPerSecond: await placedPerSecond(side, buyers) };
  } finally {
    await worker.stop();
  }
}

/** Asks how many buyers a second get the answer that everything is sold. The first second does not count. */
export async function refusals(side: Side, saleId: string, buyers: Buyers): Promise<Figures> {
  const crowd = { path: `/buy/${saleId}`, ...buyers };
  // The API copies the sale into memory meanwhile.
  await ask(side, { ...crowd, seconds: COPIED_WITHIN_SECONDS }, 409);
  const figures = await ask(side, crowd, 409);
  return { refusalsPerSecond: figures.perSecond, refusalApiMicros: figures.serverMicros };
}

/** Asks how many holders a second get their claim again. */
export async function repeats(side: Side, saleId: string, buyers: Buyers): Promise<Figures> {
  const figures = await ask(side, { path: `/buy/${saleId}`, ...buyers }, 200);
  return { repeatsPerSecond: figures.perSecond, repeatApiMicros: figures.serverMicros };
}

/** Asks how many statuses a second the API sends. */
export async function polls(side: Side, saleId: string, buyers: Buyers): Promise<Figures> {
  const figures = await ask(side, { method: 'GET', path: `/order-status/${saleId}`, ...buyers }, 200);
  return { pollsPerSecond: figures.perSecond, pollApiMicros: figures.serverMicros };
}

/** Sends buyers who all win, each once. */
async function buyAll(side: Side, saleId: string, buyers: Buyers & { perSecond?: number }) {
  const crowd = { path: `/buy/${saleId}`, ...buyers, seconds: CROWD_SECONDS };
  const { outcome, figures } = await underLoad(side, { server: side.api, crowd, expected: [202] });
  if (outcome.answers !== buyers.count)
    throw new Error(`only ${outcome.answers} of ${buyers.count} buyers were answered within ${CROWD_SECONDS} s`);
  return { ...figures, p99: outcome.latency?.p99 ?? Number.NaN };
}

/** Sends the same buyers again and again, for the seconds of the options. */
async function ask(side: Side, crowd: Crowd, expected: number) {
  const run = { server: side.api, crowd: { ...crowd, again: true }, expected: [expected] };
  return (await underLoad(side, run)).figures;
}

/** Waits until the buyers have their orders. */
async function placedPerSecond(side: Side, buyers: Buyers): Promise<number> {
  const isPlaced = async () => (await side.readPlaced(buyers)).orders === buyers.count;
  await until(isPlaced, PLACED_WITHIN_MS, COUNT_EVERY_MS);
  const placed = await side.readPlaced(buyers);
  if (placed.orders !== buyers.count)
    throw new Error(`${placed.orders} of ${buyers.count} orders were placed within ${PLACED_WITHIN_MS / 1_000} s`);
  return placed.orders / placed.seconds;
}
