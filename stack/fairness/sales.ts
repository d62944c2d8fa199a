import type { OpeningKind } from '#core/rules/sale.js';
import type { StepContext } from '#core/steps/context.js';
import { closeAtRest } from '../crowd/close-at-rest.js';
import { type Crowd, startCrowd } from '../crowd/crowd.js';
import { createOpenSale } from '../crowd/open-sale.js';
import type { Progress } from '../crowd/progress.js';
import { holds, reckon, untilAtRest } from '../crowd/reckoning.js';
import { showCrowds } from '../crowd/show-crowd.js';
import { isPerson, planVisitors, type Visitors } from './arrivals.js';
import type { Units } from './share.js';

/** From the creation of a sale to the first click, in ms. */
const LEAD_MS = 1_000;
/** The script comes to one of several sales after the other, in ms. */
const APART_MS = 700;
const JOINING_MAX_MS = 30_000;
const PATIENCE_MS = 120_000;
const REST_DEADLINE_MS = 30_000;

/** The shop in which sales are simulated. */
export interface Shop {
  connections: StepContext;
  baseUrls: readonly string[];
  authSecret: string;
  progress: Progress;
}

/** The sales of one opening that run at the same time. */
export interface Group {
  opening: OpeningKind;
  visitors: Visitors;
  /** The units of each sale. */
  units: number;
  /** How long buyers can join before the opening, in ms. */
  joiningMs: number;
  /** One for each sale. */
  seeds: readonly number[];
}

/** The result of a sale: the units by buyers, and all that was wrong. */
export interface Sold extends Units {
  wrong: string[];
}

/** A sale, and whether every visitor joined before its opening. A rush needs nobody to join. */
interface Tried extends Sold {
  isComplete: boolean;
}

/**
 * Sells with one opening to people and to a script. A sale that somebody could not join in time, as the machine was too busy, proves
 * nothing about lots. Another one with twice the time replaces it.
 *
 * @throws Error when even a long time is too short
 */
export async function sellTo(shop: Shop, group: Group): Promise<Sold[]> {
  const { seeds, opening, joiningMs } = group;
  const tried = await tryToSell(shop, group);
  const again = seeds.filter((_, i) => !tried[i]?.isComplete);
  const sold = tried.map(sale => (sale.isComplete ? sale : { ...sale, units: 0, peopleUnits: 0 }));
  if (again.length === 0) return sold;
  if (joiningMs > JOINING_MAX_MS)
    throw new Error(`${opening}: the machine is too busy for all visitors to join in time`);
  shop.progress.step(`${again.length} of ${seeds.length} sales again: not everybody could join within ${joiningMs} ms`);
  return [...sold, ...(await sellTo(shop, { ...group, seeds: again, joiningMs: 2 * joiningMs }))];
}

async function tryToSell(shop: Shop, group: Group): Promise<Tried[]> {
  const { connections, progress } = shop;
  const { opening, visitors, seeds } = group;
  const selling = await Promise.all(seeds.map((seed, i) => open(shop, group, { seed, afterMs: i * APART_MS })));
  const guided = selling.map(({ saleId, crowd }) => ({ crowd, onlyStandby: () => closeAtRest(connections, saleId) }));
  const reports = await showCrowds(guided, progress);
  return Promise.all(
    selling.map(async ({ saleId }, i) => {
      await untilAtRest(connections, saleId, REST_DEADLINE_MS);
      const verdict = await reckon(connections, saleId, reports[i]?.buyers ?? []);
      const wrong = holds(verdict) ? [] : [...verdict.wrong, `sale ${saleId} did not keep its promises`];
      const isComplete = opening === 'rush' || verdict.reckoning.joined === visitors.people + visitors.accounts;
      return { ...(await unitsOf(connections, saleId)), wrong: wrong.map(line => `${opening}: ${line}`), isComplete };
    }),
  );
}

async function open(
  { connections, baseUrls, authSecret }: Shop,
  { opening, visitors, units, joiningMs }: Group,
  { seed, afterMs }: { seed: number; afterMs: number },
): Promise<{ saleId: string; crowd: Crowd }> {
  const joinsAtMs = Date.now() + LEAD_MS + afterMs;
  const times = { joinsAtMs, opensAtMs: opening === 'rush' ? joinsAtMs : joinsAtMs + joiningMs };
  const { id: saleId } = await createOpenSale(connections, {
    units,
    opening,
    opensAtMs: times.opensAtMs,
    ...(opening === 'rush' ? {} : { joinsAtMs }),
    // A free unit is taken at once and stays taken, so that the first buyers of an order are those who got units.
    priceMinor: 0,
    settlement: 'immediate',
    standbyFactor: 0,
    // Buyers who wait ask more often when there is little time to pay.
    payWithinSeconds: 12,
  });
  const plans = planVisitors(visitors, { opening, times, seed });
  const crowd = startCrowd({ baseUrls, saleId, authSecret, plans, arriveWithinMs: 0, patienceMs: PATIENCE_MS });
  return { saleId, crowd };
}

async function unitsOf({ db }: StepContext, saleId: string): Promise<Units> {
  const orders = await db.order.findMany({ where: { saleId, status: 'paid' }, select: { buyerId: true } });
  return { units: orders.length, peopleUnits: orders.filter(({ buyerId }) => isPerson(buyerId)).length };
}
