import { setTimeout as pause } from 'node:timers/promises';
import type { Answer } from '#stack/crowd/storefront.js';
import { pauseUntil } from '#stack/processes/pause.js';
import type { Client } from './client.js';
import type { Random } from './random.js';
import type { World } from './world.js';

/** Between two questions, in ms; or as long as the answer asks for, up to a second. */
const REST_MS = [80, 400] as const;
const REST_MAX_MS = 1_000;

/** Whoever finds no answer goes home after this time, in ms; the claim, if there is one, expires. */
const PATIENCE_MS = 40_000;

/** More than this many at once would only wait for each other. */
const AT_ONCE_MAX = 400;

/** Buyers who come back to every small sale. */
const REGULARS = 60;

/** How late some pay at the provider, in ms: mostly when the time to pay (3 s) is over. */
const LATE_MS = [1_000, 6_000] as const;

/** Whoever paid there asks for this long whether it came too late, in ms. */
const WAITS_FOR_MONEY_MS = 6_000;

const ENDED = new Set<string | undefined>(['cancelled', 'rejected', 'refunded', 'closed', 'none']);

/** What a buyer is going to do. */
export interface Visit {
  saleId: string;
  buyerId: string;
  clicks: number;
  withUnit: 'pay' | 'leave' | 'cancel' | 'pay and cancel';
  /** Where a provider takes the money: when they pay on its page, once they were sent there, or let it fail and try again. */
  elsewhere?: 'at once' | 'late' | 'after failing' | 'never';
  /** How many times they come back after a refusal or an end. */
  returns: number;
}

/**
 * @param count how many come
 * @returns everybody who may come, in their order
 */
export function namesOf(count: number): string[] {
  const regulars = Array.from({ length: REGULARS }, (_, i) => `regular-${i + 1}`);
  return [...regulars, ...Array.from({ length: count }, (_, i) => `guest-${i + 1}`)];
}

/**
 * Sends buyers at a steady rate, who behave as people do: click twice, pay late, cancel, come back.
 *
 * @param client asks for them
 * @param world where they go
 * @param random decides what they do
 * @param perSecond how many come each second
 * @param signal nobody comes any more; those who are there finish
 */
export async function sendCrowd(
  client: Client,
  world: World,
  random: Random,
  perSecond: number,
  signal: AbortSignal,
): Promise<void> {
  const startedAt = performance.now();
  const visits = new Set<Promise<void>>();
  for (let number = 1; !signal.aborted; number += 1) {
    await pauseUntil(1_000 / perSecond, signal);
    if (visits.size >= AT_ONCE_MAX) continue;
    const visit = shop(client, random, planVisit(world, random, number, performance.now() - startedAt));
    visits.add(visit);
    void visit.finally(() => visits.delete(visit));
  }
  await Promise.all(visits);
}

function planVisit(world: World, random: Random, number: number, elapsedMs: number): Visit {
  const clicks = random.chance(0.15) ? random.between(2, 4) : 1;
  const guest = `guest-${number}`;
  const place = random.next();
  if (place < 0.4) {
    // Hardly anybody pays here, so that the few units go round and round.
    const buyerId = `regular-${random.between(1, REGULARS)}`;
    const withUnit = random.chance(0.02) ? 'pay' : random.pick(['leave', 'cancel', 'pay and cancel'] as const);
    return { saleId: world.small(elapsedMs), buyerId, clicks, withUnit, returns: 2 };
  }
  const withUnit = random.pick(['pay', 'pay', 'pay', 'leave', 'cancel', 'pay and cancel'] as const);
  if (place < 0.5)
    return { saleId: world.line, buyerId: guest, clicks, withUnit: random.pick(['leave', 'cancel']), returns: 1 };
  if (place < 0.6) return { saleId: world.immediate, buyerId: guest, clicks, withUnit, returns: 0 };
  if (place < 0.8) {
    const elsewhere = random.pick(['at once', 'late', 'late', 'after failing', 'never'] as const);
    return { saleId: random.pick(world.elsewhere), buyerId: guest, clicks, withUnit, elsewhere, returns: 1 };
  }
  return { saleId: world.big, buyerId: guest, clicks, withUnit, returns: 1 };
}

/**
 * One buyer's visit to a sale.
 *
 * @param client asks for them
 * @param random decides the rest
 * @param visit what they want
 * @param patienceMs when they go home at the latest, in ms
 */
export async function shop(client: Client, random: Random, visit: Visit, patienceMs = PATIENCE_MS): Promise<void> {
  const goesHomeAt = performance.now() + patienceMs;
  let returns = visit.returns;
  let { clicks } = visit;
  while (performance.now() < goesHomeAt) {
    const answers = await Promise.all(
      Array.from({ length: clicks }, () => client.ask('buy', visit.saleId, visit.buyerId)),
    );
    clicks = 1;
    const accepted = answers.find(({ http }) => http === 200 || http === 202);
    const ended = accepted ? await follow(client, random, visit, accepted, goesHomeAt) : answers.every(isFinal);
    if (ended) {
      if (returns === 0) return;
      returns -= 1;
    }
    await rest(random, answers[0]);
  }
}

/** Most wait as long as they are asked to; some never do. */
async function rest(random: Random, answer: Answer | undefined): Promise<void> {
  const wanted = random.chance(0.2) ? undefined : (answer?.pollAfterMs ?? answer?.retryAfterMs);
  await pause(Math.min(wanted ?? random.between(...REST_MS), REST_MAX_MS));
}

const isFinal = ({ code }: Answer): boolean => code === 'sold_out' || code === 'sale_closed';

/** @returns whether it came to an end; false when patience ran out first */
async function follow(
  client: Client,
  random: Random,
  visit: Visit,
  first: Answer,
  goesHomeAt: number,
): Promise<boolean> {
  const { saleId, buyerId, withUnit } = visit;
  let answer = first;
  let receipt = first.receipt;
  let moneyAwaitedUntil = 0;
  let failedUrl: string | undefined;
  for (;;) {
    const ended =
      ENDED.has(answer.status) && (answer.reason === 'refunded_late_payment' || performance.now() > moneyAwaitedUntil);
    if (ended || answer.status === 'paid') return true;
    if (answer.status === 'pending_payment' && withUnit !== 'leave') {
      const calls = withUnit === 'pay and cancel' ? random.shuffle(['pay', 'cancel'] as const) : [withUnit];
      await Promise.all(calls.map(call => client.ask(call, saleId, buyerId)));
    }
    if (answer.paymentUrl !== undefined && visit.elsewhere === 'after failing' && failedUrl === undefined) {
      failedUrl = answer.paymentUrl;
      await client.failElsewhere(failedUrl);
    }
    if (answer.paymentUrl !== undefined && answer.paymentUrl !== failedUrl && moneyAwaitedUntil === 0) {
      await payElsewhere(client, random, visit, answer.paymentUrl);
      moneyAwaitedUntil = performance.now() + (random.chance(0.5) ? WAITS_FOR_MONEY_MS : 1);
    }
    // Before it is placed a claim can be cancelled, too.
    if (answer.status === 'queued' && withUnit === 'cancel' && random.chance(0.3))
      await client.ask('cancel', saleId, buyerId);
    await rest(random, answer);
    if (performance.now() > goesHomeAt) return false;
    answer = await client.ask('order-status', saleId, buyerId, random.chance(0.5) ? receipt : undefined);
    receipt = answer.receipt ?? receipt;
  }
}

async function payElsewhere(
  client: Client,
  random: Random,
  { saleId, buyerId, elsewhere }: Visit,
  paymentUrl: string,
): Promise<void> {
  if (elsewhere === undefined || elsewhere === 'never') return;
  if (elsewhere === 'late') await pause(random.between(...LATE_MS));
  await client.payElsewhere(saleId, buyerId, paymentUrl);
}
