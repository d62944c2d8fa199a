import { setTimeout as pause } from 'node:timers/promises';
import type { Answer } from '#stack/crowd/storefront.js';
import type { Client } from './client.js';
import type { Random } from './random.js';

/** The time between two calls, in ms. If an answer asks for a longer time, the buyer waits for it, up to a second. */
const REST_MS = [80, 400] as const;
const REST_MAX_MS = 1_000;

/** A buyer without a final answer goes home after this time, in ms. The claim, if there is one, expires. */
const PATIENCE_MS = 40_000;

/** The delay of a late payment at the provider, in ms. It is mostly longer than the time to pay (3 s). */
const LATE_MS = [1_000, 6_000] as const;

/** For this long after a payment at the provider a buyer asks whether the money came too late, in ms. */
const WAITS_FOR_MONEY_MS = 6_000;

const ENDED = new Set<string | undefined>(['cancelled', 'rejected', 'refunded', 'closed', 'none']);

/** The statuses of a buyer who waits for a unit. */
const WAITING = new Set<string | undefined>(['joined', 'drawing', 'standby']);

/** The intentions of a buyer. */
export interface Visit {
  saleId: string;
  buyerId: string;
  /** How many times the buyer clicks at once. */
  clicks: number;
  withUnit: 'pay' | 'leave' | 'cancel' | 'pay and cancel';
  /** In a sale with a provider: when the buyer pays on its page, or whether a first payment fails. */
  elsewhere?: 'at once' | 'late' | 'after failing' | 'never';
  /** Whether the buyer may leave while waiting for a unit, and come back. */
  leavesStandby?: boolean;
  /** How many times the buyer comes back after a refusal or an end. */
  returns: number;
  /** The buyer goes home after this time, in ms; 40,000 if not given. */
  patienceMs?: number;
}

/** A visit under way. */
interface Visitor {
  client: Client;
  /** Decides what the plan leaves open. */
  random: Random;
  visit: Visit;
  /** By {@link performance.now}. */
  goesHomeAt: number;
}

/**
 * Visits a sale: clicks, polls, acts on the unit, and comes back as planned.
 *
 * @param random decides what the plan leaves open
 */
export async function visitSale(client: Client, random: Random, visit: Visit): Promise<void> {
  const visitor = { client, random, visit, goesHomeAt: performance.now() + (visit.patienceMs ?? PATIENCE_MS) };
  let { clicks, returns } = visit;
  while (performance.now() < visitor.goesHomeAt) {
    const answers = await Promise.all(
      Array.from({ length: clicks }, () => client.ask('buy', visit.saleId, visit.buyerId)),
    );
    clicks = 1;
    const accepted = answers.find(({ http }) => http === 200 || http === 202);
    const ended = accepted ? await follow(visitor, accepted) : answers.every(isFinal);
    if (ended) {
      if (returns === 0) return;
      returns -= 1;
    }
    await rest(random, answers[0]);
  }
}

/** Waits before the next call. Most buyers wait as long as the answer asks for, and some never do. */
async function rest(random: Random, answer: Answer | undefined): Promise<void> {
  const wanted = random.chance(0.2) ? undefined : (answer?.pollAfterMs ?? answer?.retryAfterMs);
  await pause(Math.min(wanted ?? random.between(...REST_MS), REST_MAX_MS));
}

const isFinal = ({ code }: Answer): boolean =>
  ['sold_out', 'sale_closed', 'unpaid_limit', 'group_limit'].includes(code ?? '');

/**
 * Polls after an accepted click, and acts on the unit.
 *
 * @returns whether the visit came to an end; false when the patience ended first
 */
async function follow(visitor: Visitor, first: Answer): Promise<boolean> {
  const { client, random, visit, goesHomeAt } = visitor;
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
      await payElsewhere(visitor, answer.paymentUrl);
      moneyAwaitedUntil = performance.now() + (random.chance(0.5) ? WAITS_FOR_MONEY_MS : 1);
    }
    if (visit.leavesStandby && WAITING.has(answer.status) && random.chance(0.1))
      await client.ask('cancel', saleId, buyerId);
    // A claim can be cancelled before it is placed, too.
    if (answer.status === 'queued' && withUnit === 'cancel' && random.chance(0.3))
      await client.ask('cancel', saleId, buyerId);
    await rest(random, answer);
    if (performance.now() > goesHomeAt) return false;
    answer = await client.ask('order-status', saleId, buyerId, random.chance(0.5) ? { receipt } : {});
    receipt = answer.receipt ?? receipt;
  }
}

async function payElsewhere({ client, random, visit }: Visitor, paymentUrl: string): Promise<void> {
  const { saleId, buyerId, elsewhere } = visit;
  if (elsewhere === undefined || elsewhere === 'never') return;
  if (elsewhere === 'late') await pause(random.between(...LATE_MS));
  await client.payElsewhere(saleId, buyerId, paymentUrl);
}
