/** When money is taken. `immediate`: from the wallet as the order is placed. `deferred`: the buyer has time to pay. */
export type Settlement = 'deferred' | 'immediate';

/** The takers of buyers' money: Dropline's wallet, or the shop's payment provider (docs/payments.md). */
export const PROVIDER_NAMES = ['wallet', 'signed-webhook'] as const;
/** The name of a taker of money. */
export type ProviderName = (typeof PROVIDER_NAMES)[number];

/**
 * The fate of money that comes after its order has ended. `regrab`: it buys a unit again if one is free, otherwise it
 * goes back. `refund`: it goes back.
 */
export const LATE_MONEY = ['regrab', 'refund'] as const;
/** The fate of late money. */
export type LateMoney = (typeof LATE_MONEY)[number];

/** The operator's decision. A sale is open only within its window, too. */
export type SaleState = 'open' | 'paused' | 'closed';

/** The most units of a sale. A list of this length takes Redis about 100 MB and a second to load; no drop is larger. */
export const UNITS_MAX = 10_000_000;

/** The largest amount of an order or a credit, in minor units. A larger one is a typing error. */
export const AMOUNT_MINOR_MAX = 1_000_000_000_000;

/** The form of ISO 4217 codes. Whether a currency exists is up to the operator. */
export const CURRENCY_PATTERN = /^[A-Z]{3}$/;

/** A sale. Amounts in minor units, times in ms since the epoch. */
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
  /** Refuses a buyer while another purchase of theirs, in any sale with this rule, is neither paid nor ended. */
  onePurchaseAtATime: boolean;
  /** Refuses a buyer for this many seconds after a win in any sale with this rule; 0 turns the rule off. */
  minSecondsBetweenPurchases: number;
  state: SaleState;
  generation: number;
}

/** The state of a sale as the page shows it. */
export type SalePhase = 'upcoming' | 'open' | 'sold_out' | 'paused' | 'closed';

/** Computes the most buyers who may be on standby. */
export function standbyCap(sale: Pick<Sale, 'units' | 'standbyFactor'>): number {
  return sale.units * sale.standbyFactor;
}

/** Tells whether a sale has rules about its buyers' purchases in other sales. */
export function hasPurchaseRules(sale: Pick<Sale, 'onePurchaseAtATime' | 'minSecondsBetweenPurchases'>): boolean {
  return sale.onePurchaseAtATime || sale.minSecondsBetweenPurchases > 0;
}

/**
 * Computes the phase of a sale as a visitor sees it.
 *
 * @param remaining free units
 * @param nowMs the time by Redis's clock, in ms since the epoch
 */
export function phaseOf(
  sale: Pick<Sale, 'state' | 'opensAtMs' | 'closesAtMs'>,
  remaining: number,
  nowMs: number,
): SalePhase {
  if (sale.state === 'closed' || nowMs >= sale.closesAtMs) return 'closed';
  if (sale.state === 'paused') return 'paused';
  if (nowMs < sale.opensAtMs) return 'upcoming';
  return remaining > 0 ? 'open' : 'sold_out';
}
