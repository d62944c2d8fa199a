import { issueToken } from '#core/identity/token.js';
import { changeSale } from '#core/operator/change-sale.js';
import type { Sale } from '#core/rules/sale.js';
import type { StepContext } from '#core/steps/context.js';
import { createOpenSale, type SaleWishes } from '../crowd/open-sale.js';
import { holds, reckon, untilAtRest } from '../crowd/reckoning.js';
import { createStorefront, type Storefront } from '../crowd/storefront.js';
import { pauseUntil } from '../processes/pause.js';
import { isPerson } from './arrivals.js';
import type { Shop } from './sales.js';
import type { Units } from './share.js';

// Accounts that take units and never pay, against people who pay at once.

/** Everybody who comes to each sale, and the units. */
export const HOLDING = { people: 40, accounts: 140, units: 20 };
/** Long enough that expiry, which comes at the next full second, makes little difference. */
const PAY_WITHIN_SECONDS = 20;

/** The accounts begin at the opening, as robots do, and click once a second each. */
const ACCOUNTS = { firstMs: 0, everyMs: 1_000 };
/** The people begin when they have seen the opening, and click every two seconds each, one after the other. */
const PEOPLE = { firstMs: 1_500, everyMs: 2_000 };
/** A person looks for the order this often until it is paid, in ms. */
const LOOK_EVERY_MS = 500;

/** The accounts of one household, as the shop's tokens name it. */
const GROUP = 10;
/** The units that people must have paid, of {@link HOLDING}, where the rules are on. */
const PEOPLE_LEAST = 18;

const LEAD_MS = 1_000;
const CONNECTIONS = 64;
const REST_DEADLINE_MS = 60_000;

/** The names of the sales with accounts that never pay. */
export type HoldingSale = 'line' | 'noLine' | 'groups' | 'strikes' | 'none';

/** One of these sales: its rules in words, and how many times the time to pay it is judged after. */
interface Holding {
  words: string;
  rules: Pick<Sale, 'standbyFactor' | 'unpaidLimit' | 'retryPayWithinSeconds' | 'perGroup'>;
  times: number;
  /** Whether people must end with {@link PEOPLE_LEAST} units. */
  isHeld: boolean;
}

const NOTHING = { standbyFactor: 5, unpaidLimit: 0, retryPayWithinSeconds: PAY_WITHIN_SECONDS, perGroup: 0 };
const STRIKES = { ...NOTHING, unpaidLimit: 2 };
const QUICKLY = { ...STRIKES, retryPayWithinSeconds: 5 };

/** The sales, from no rule to all of them. */
export const HOLDING_SALES: Record<HoldingSale, Holding> = {
  none: { words: 'no rule, standby', rules: NOTHING, times: 3.5, isHeld: false },
  strikes: { words: 'strikes, standby', rules: STRIKES, times: 3.5, isHeld: false },
  line: { words: 'strikes, a short second time to pay, standby', rules: QUICKLY, times: 3.5, isHeld: true },
  noLine: {
    words: 'the same without standby',
    rules: { ...QUICKLY, standbyFactor: 0 },
    times: 3.5,
    isHeld: true,
  },
  groups: {
    words: 'the same with standby, one unit for each group',
    rules: { ...QUICKLY, perGroup: 1 },
    times: 1.5,
    isHeld: true,
  },
};

const NAMES = Object.keys(HOLDING_SALES) as HoldingSale[];

/** How a sale stands when it is judged: the units that people have paid, of all, and how often one account has held a unit. */
export interface Held extends Units {
  heldMost: number;
}

/** The results of all sales with accounts that never pay. */
export type NonPayers = Record<HoldingSale, Held>;

/**
 * Sells to accounts that never pay and to people, in all sales at the same time.
 *
 * @returns the results, and one line for each violation
 */
export async function sellToNonPayers(shop: Shop): Promise<{ nonPayers: NonPayers; wrong: string[] }> {
  const storefronts = shop.baseUrls.map(url => createStorefront(url, CONNECTIONS));
  try {
    const sold = await Promise.all(NAMES.map(name => sell(shop, storefronts, name)));
    const nonPayers = Object.fromEntries(NAMES.map((name, i) => [name, sold[i]?.held])) as NonPayers;
    return { nonPayers, wrong: sold.flatMap(({ wrong }) => wrong) };
  } finally {
    await Promise.all(storefronts.map(storefront => storefront.close()));
  }
}

async function sell(shop: Shop, storefronts: readonly Storefront[], name: HoldingSale) {
  const { rules, times, isHeld } = HOLDING_SALES[name];
  const { connections } = shop;
  const opensAtMs = Date.now() + LEAD_MS;
  const payWithinSeconds = PAY_WITHIN_SECONDS;
  const wishes: SaleWishes = { units: HOLDING.units, opensAtMs, priceMinor: 0, payWithinSeconds, ...rules };
  const { id: saleId } = await createOpenSale(connections, wishes);
  const endsAtMs = opensAtMs + times * PAY_WITHIN_SECONDS * 1_000;
  const visit = (buyerId: string, group: string) => {
    const visitor = { saleId, token: issueToken(shop.authSecret, buyerId, { group }), endsAtMs };
    return new Visit(visitor, storefronts[Number(buyerId.split('-')[1]) % storefronts.length]);
  };
  const accounts = Array.from({ length: HOLDING.accounts }, (_, i) =>
    visit(`account-${i}`, `accounts-${Math.floor(i / GROUP)}`).hold(opensAtMs),
  );
  const people = Array.from({ length: HOLDING.people }, (_, i) =>
    visit(`person-${i}`, `person-${i}`).buy(opensAtMs + (i * PEOPLE.everyMs) / HOLDING.people),
  );
  await Promise.all([...accounts, ...people]);
  const held = await heldOf(connections, saleId, new Date(endsAtMs));
  // Nobody else gets a unit, so the sale is at rest once the last ones are cancelled.
  await changeSale(connections, saleId, { state: 'closed' });
  await untilAtRest(connections, saleId, REST_DEADLINE_MS);
  const verdict = await reckon(connections, saleId, []);
  const lines = holds(verdict) ? [] : [...verdict.wrong, `sale ${saleId} did not keep its promises`];
  if (rules.unpaidLimit > 0 && held.heldMost > rules.unpaidLimit) {
    lines.push(`an account held a unit ${held.heldMost} times`);
  }
  if (isHeld && held.peopleUnits < PEOPLE_LEAST) {
    lines.push(`people paid ${held.peopleUnits} of ${held.units} units, and not ${PEOPLE_LEAST}`);
  }
  return { held, wrong: lines.map(line => `${name}: ${line}`) };
}

async function heldOf({ db }: StepContext, saleId: string, judgedAt: Date): Promise<Held> {
  const orders = await db.order.findMany({ where: { saleId }, select: { buyerId: true, paidAt: true } });
  const paid = orders.filter(({ buyerId, paidAt }) => isPerson(buyerId) && paidAt !== null && paidAt <= judgedAt);
  const counts = new Map<string, number>();
  for (const { buyerId } of orders) counts.set(buyerId, (counts.get(buyerId) ?? 0) + 1);
  return { units: HOLDING.units, peopleUnits: paid.length, heldMost: Math.max(0, ...counts.values()) };
}

/** A visitor of one sale until it is judged. */
class Visit {
  readonly #shop: Storefront;
  readonly #visitor: { saleId: string; token: string; endsAtMs: number };
  readonly #end: AbortSignal;

  constructor(visitor: { saleId: string; token: string; endsAtMs: number }, shop: Storefront | undefined) {
    if (!shop) throw new Error('a visitor needs an API to go to');
    this.#visitor = visitor;
    this.#shop = shop;
    this.#end = AbortSignal.timeout(Math.max(0, visitor.endsAtMs - Date.now()));
  }

  /** Clicks until the end, and never pays. */
  async hold(opensAtMs: number): Promise<void> {
    await this.#every(opensAtMs + ACCOUNTS.firstMs, ACCOUNTS.everyMs, async () => {
      await this.#ask('buy');
      return false;
    });
  }

  /** Clicks until a unit comes, and pays at once. */
  async buy(opensAtMs: number): Promise<void> {
    await this.#every(opensAtMs + PEOPLE.firstMs, PEOPLE.everyMs, async () => {
      const { claimId, status } = await this.#ask('buy');
      return (claimId !== undefined || status === 'standby') && this.#pay();
    });
  }

  /** Waits on standby, and pays as soon as the order is placed. Returns whether it is paid. */
  async #pay(): Promise<boolean> {
    while (!this.#end.aborted) {
      const { status } = await this.#ask('order-status');
      if (status === 'paid') return true;
      if (status === 'pending_payment') await this.#ask('pay');
      else if (status !== 'queued' && status !== 'standby') return false;
      await pauseUntil(LOOK_EVERY_MS, this.#end);
    }
    return false;
  }

  #ask(call: 'buy' | 'order-status' | 'pay') {
    return this.#shop.ask(call, this.#visitor.saleId, this.#visitor.token);
  }

  /** Works at fixed times until the work says that it is done. */
  async #every(firstAtMs: number, everyMs: number, work: () => Promise<boolean>): Promise<void> {
    for (let atMs = firstAtMs; !this.#end.aborted; atMs = Math.max(atMs + everyMs, Date.now())) {
      await pauseUntil(Math.max(0, atMs - Date.now()), this.#end);
      if (this.#end.aborted || (await work())) return;
    }
  }
}
