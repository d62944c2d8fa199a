import { pauseUntil } from '#stack/processes/pause.js';
import type { Client } from './client.js';
import type { Random } from './random.js';
import { type Visit, visitSale } from './visit.js';
import type { World } from './world.js';

/** More buyers at once would only wait for each other. */
const AT_ONCE_MAX = 400;

/** Buyers who come back to every small sale. */
const REGULARS = 60;

/**
 * Names all buyers who may come.
 *
 * @param count the number of guests, who come once
 * @returns the regulars, and then the guests in the order in which they come
 */
export function namesOf(count: number): string[] {
  const regulars = Array.from({ length: REGULARS }, (_, i) => `regular-${i + 1}`);
  return [...regulars, ...Array.from({ length: count }, (_, i) => `guest-${i + 1}`)];
}

/** Buyers who come one after the other. */
export interface SteadyCrowd {
  client: Client;
  random: Random;
  /** The number of buyers who come each second. */
  perSecond: number;
  /** Ends the stream of buyers. Those who are there finish. */
  signal: AbortSignal;
  /** The largest number of buyers at once; 400 if not given. */
  atOnceMax?: number;
  /** Plans the visit of the buyer with this number, who comes `elapsedMs` after the first one. */
  plan(number: number, elapsedMs: number): Visit;
}

/**
 * Sends buyers at a steady rate, who behave as people do: click twice, pay late, cancel, come back.
 *
 * @returns when every buyer has gone home
 */
export async function sendCrowd(crowd: SteadyCrowd): Promise<void> {
  const { client, random, perSecond, signal, atOnceMax = AT_ONCE_MAX } = crowd;
  const startedAt = performance.now();
  const visits = new Set<Promise<void>>();
  for (let number = 1; !signal.aborted; number += 1) {
    await pauseUntil(1_000 / perSecond, signal);
    if (visits.size >= atOnceMax) continue;
    const visit = visitSale(client, random, crowd.plan(number, performance.now() - startedAt));
    visits.add(visit);
    void visit.finally(() => visits.delete(visit));
  }
  await Promise.all(visits);
}

/** The buyer to plan for: the number of the buyer, and the time since the crowd began, in ms. */
export interface Arrival {
  number: number;
  elapsedMs: number;
}

/** Plans a visit to one of the sales of a run. */
export function planVisit(world: World, random: Random, { number, elapsedMs }: Arrival): Visit {
  const clicks = random.chance(0.15) ? random.between(2, 4) : 1;
  const guest = `guest-${number}`;
  const share = random.next();
  const draws = world.draws.busy(Date.now());
  if (draws.length > 0 && share < 0.35) {
    const withUnit = random.pick(['pay', 'pay', 'pay', 'pay', 'leave', 'cancel'] as const);
    return {
      saleId: random.pick(draws),
      buyerId: guest,
      clicks,
      withUnit,
      returns: 2,
      leavesStandby: random.chance(0.15),
    };
  }
  if (share < 0.4) {
    // Hardly any buyer pays here, so that the few units are claimed and released again and again.
    const buyerId = `regular-${random.between(1, REGULARS)}`;
    const withUnit = random.chance(0.02) ? 'pay' : random.pick(['leave', 'cancel', 'pay and cancel'] as const);
    return { saleId: random.pick(world.small(elapsedMs)), buyerId, clicks, withUnit, returns: 2 };
  }
  if (share < 0.52) return planStrictVisit(random, random.pick(world.strict(elapsedMs)), clicks);
  const withUnit = random.pick(['pay', 'pay', 'pay', 'leave', 'cancel', 'pay and cancel'] as const);
  if (share < 0.57 && world.standby.length > 0)
    return {
      saleId: random.pick(world.standby),
      buyerId: guest,
      clicks,
      withUnit: random.pick(['leave', 'cancel']),
      returns: 1,
    };
  if (share < 0.62) return { saleId: world.immediate, buyerId: guest, clicks, withUnit, returns: 0 };
  if (share < 0.8) {
    const elsewhere = random.pick(['at once', 'late', 'late', 'after failing', 'never'] as const);
    return { saleId: random.pick(world.elsewhere), buyerId: guest, clicks, withUnit, elsewhere, returns: 1 };
  }
  return { saleId: random.pick(world.big), buyerId: guest, clicks, withUnit, returns: 1 };
}

/** The regulars who come to strict sales. They are few, so that each of them comes again and again. */
const STRICT_REGULARS = 30;

/** Plans a visit to a strict sale: some buyers pay, and most let units go until they get no more. */
function planStrictVisit(random: Random, saleId: string, clicks: number): Visit {
  return {
    saleId,
    buyerId: `regular-${random.between(1, STRICT_REGULARS)}`,
    clicks,
    withUnit: random.pick(['pay', 'leave', 'leave', 'cancel', 'pay and cancel'] as const),
    elsewhere: random.pick(['at once', 'late', 'after failing', 'never'] as const),
    returns: 3,
  };
}
