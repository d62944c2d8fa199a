/**
 * When the orders of a sale are paid. `immediate`: from the wallet as the order is placed. `deferred`: the buyer has
 * until a deadline.
 */
export type Settlement = 'deferred' | 'immediate';

/** The providers through which buyers pay: Dropline's own wallet, or the shop's payment provider (docs/payments.md). */
export const PROVIDER_NAMES = ['wallet', 'signed-webhook'] as const;
/** The name of a provider through which buyers pay. */
export type ProviderName = (typeof PROVIDER_NAMES)[number];

/**
 * A sale's choices for late money, which is a payment that arrives after its order has ended. `regrab`: the money buys
 * a unit again if one is free, otherwise it is refunded. `refund`: the money is refunded.
 */
export const LATE_MONEY = ['regrab', 'refund'] as const;
/** A sale's choice for payments that arrive after their order has ended. */
export type LateMoney = (typeof LATE_MONEY)[number];

/**
 * The state of a sale that its operator has set. Even an `open` sale sells only between its opening and closing times.
 */
export type SaleState = 'open' | 'paused' | 'closed';

/**
 * How a sale opens. `rush`: units go to the first clicks. `shuffle` and `draw`: buyers join a line before the opening, and lots make its
 * order at the opening (docs/fairness.md). They differ in when joining usually begins, and in words.
 */
export const OPENINGS = ['rush', 'shuffle', 'draw'] as const;
/** How a sale opens. */
export type OpeningKind = (typeof OPENINGS)[number];

/** Whether the order of a line was made that buyers joined before the opening. */
export type LineState = 'joining' | 'ordered';

/** The most units of a sale. A Redis list of this length takes about 100 MB and a second to load; no sale is larger. */
export const UNITS_MAX = 10_000_000;

/** The largest amount of an order or of a credit to a wallet, in minor units. A larger one is a typing error. */
export const AMOUNT_MINOR_MAX = 1_000_000_000_000;

/**
 * The form of a currency that a payment provider names. It may be one that ISO 4217 does not list: then it differs from
 * that of the order, which an operator sees.
 */
export const CURRENCY_PATTERN = /^[A-Z]{3}$/;

/** A sale. Amounts are in minor units, times in ms since the epoch. */
export interface Sale {
  id: string;
  title: string;
  priceMinor: number;
  currency: string;
  units: number;
  opensAtMs: number;
  closesAtMs: number;
  payWithinSeconds: number;
  settlement: Settlement;
  provider: ProviderName;
  lateMoney: LateMoney;
  standbyFactor: number;
  opening: OpeningKind;
  /** When buyers may begin to join; undefined for a rush. */
  joinsAtMs?: number | undefined;
  /** Refuses a buyer while another purchase of theirs, in any sale with this rule, is neither paid nor ended. */
  onePurchaseAtATime: boolean;
  /** Refuses a buyer for this many seconds after a win in any sale with this rule; 0 turns the rule off. */
  minSecondsBetweenPurchases: number;
  /** After this many ends without payment, a buyer gets no unit of the sale any more; 0 turns the rule off. */
  unpaidLimit: number;
  /** The time to pay a unit that came back unpaid, in s; undefined for the ordinary one. */
  retryPayWithinSeconds?: number | undefined;
  /** The most units and positions on standby of one group of buyers; 0 turns the rule off. */
  perGroup: number;
  /** Whether buying and joining need a pass. */
  needsPass: boolean;
  /** The most tries of the proof of work that a pass costs, half of them on average; 0 for none (docs/passes.md). */
  passWork: number;
  /** The sale is hidden until then; undefined for a sale that is never hidden. */
  announceAtMs?: number | undefined;
  /** Whether visitors see the number of free units only roughly. */
  coarseStock: boolean;
  /** 32 bytes as hex, which decide the order in which units are dealt; undefined for 1, 2, 3. */
  unitSeed?: string | undefined;
  state: SaleState;
  generation: number;
}

/** How long before it is of use a buyer gets a pass, in ms. A crowd spreads its requests and its work over this time. */
export const PASS_LEAD_MS = 120_000;

/** How long a pass is good from the moment at which it is of use, in ms. Buyers may renew it. */
export const PASS_LIFE_MS = 600_000;

/** Returns the first moment at which buyers may buy or join, when a pass is of use, in ms since the epoch. */
export function passUsefulAtMs({ joinsAtMs, opensAtMs }: Pick<Sale, 'joinsAtMs' | 'opensAtMs'>): number {
  return joinsAtMs ?? opensAtMs;
}

/** The state of a sale as its page shows it to visitors. */
export type SalePhase = 'upcoming' | 'joining' | 'drawing' | 'open' | 'sold_out' | 'paused' | 'closed';

/** Computes the most buyers who may be on standby, the list of buyers who get units that come back. */
export function standbyCap(sale: Pick<Sale, 'units' | 'standbyFactor'>): number {
  return sale.units * sale.standbyFactor;
}

/** Tells whether a sale has rules about its buyers' purchases in other sales. */
export function hasPurchaseRules(sale: Pick<Sale, 'onePurchaseAtATime' | 'minSecondsBetweenPurchases'>): boolean {
  return sale.onePurchaseAtATime || sale.minSecondsBetweenPurchases > 0;
}

/**
 * Tells whether a sale is hidden: every public call answers as if it did not exist, until it is announced.
 *
 * @param nowMs the time by Redis's clock, in ms since the epoch
 */
export function isHidden({ announceAtMs = 0 }: Pick<Sale, 'announceAtMs'>, nowMs: number): boolean {
  return nowMs < announceAtMs;
}

/**
 * Rounds a number of free units up to 10, 100, 1,000 and so on, and at most to all units. 0 stays 0.
 *
 * @param sale its number of units
 */
export function roughly(remaining: number, { units }: Pick<Sale, 'units'>): number {
  return remaining === 0 ? 0 : Math.min(units, 10 ** String(remaining - 1).length);
}

/** The facts that decide the phase of a sale. `line` is missing for a rush. */
export interface Timetable extends Pick<Sale, 'state' | 'opensAtMs' | 'closesAtMs'> {
  joinsAtMs?: number | undefined;
  line?: LineState | undefined;
}

/**
 * Computes the state of a sale that visitors see.
 *
 * @param remaining the number of free units
 * @param nowMs the time by Redis's clock, in ms since the epoch
 */
export function phaseOf(sale: Timetable, remaining: number, nowMs: number): SalePhase {
  if (sale.state === 'closed' || nowMs >= sale.closesAtMs) return 'closed';
  if (sale.state === 'paused') return 'paused';
  if (nowMs < sale.opensAtMs) return nowMs < (sale.joinsAtMs ?? sale.opensAtMs) ? 'upcoming' : 'joining';
  if (sale.line === 'joining') return 'drawing';
  return remaining > 0 ? 'open' : 'sold_out';
}

/** How urgent it is that a sale answers, by its phase. */
const URGENCY: Record<SalePhase, number> = {
  open: 0,
  sold_out: 0,
  joining: 0,
  drawing: 0,
  upcoming: 1,
  paused: 1,
  closed: 2,
};

/**
 * Sorts sales by how urgent it is that they answer again after a restart of Redis: first those that sell now, then those
 * that open next, at last those that have ended, the latest first. A small sale comes before a large one, as it is
 * opened sooner.
 *
 * @param nowMs the present time in ms since the epoch. A clock that is wrong only changes the order.
 */
export function inOpeningOrder<T extends Pick<Sale, 'state' | 'opensAtMs' | 'closesAtMs' | 'units'>>(
  sales: readonly T[],
  nowMs: number,
): T[] {
  const urgencyOf = (sale: T) => {
    const phase = phaseOf(sale, 1, nowMs);
    const moment = {
      open: 0,
      sold_out: 0,
      joining: 0,
      drawing: 0,
      paused: 0,
      upcoming: sale.opensAtMs,
      closed: -sale.closesAtMs,
    }[phase];
    return [URGENCY[phase], moment, sale.units];
  };
  const keys = new Map(sales.map(sale => [sale, urgencyOf(sale)]));
  const difference = (a: T, b: T) =>
    (keys.get(a) ?? []).map((key, i) => key - (keys.get(b)?.[i] ?? 0)).find(one => one !== 0) ?? 0;
  return [...sales].sort(difference);
}
