/** `immediate` debits the wallet as the order is placed; `deferred` gives the buyer time to pay. */
export type Settlement = 'deferred' | 'immediate';

/** Who takes the buyers' money: our own wallet, or the shop's payment provider (docs/payments.md). */
export const PROVIDER_NAMES = ['wallet', 'signed-webhook'] as const;
export type ProviderName = (typeof PROVIDER_NAMES)[number];

/** What becomes of money that comes after its order has ended: `regrab` takes a unit again if one is free, else it goes back. */
export const LATE_MONEY = ['regrab', 'refund'] as const;
export type LateMoney = (typeof LATE_MONEY)[number];

/** What the operator decided. Whether a sale is open now also depends on its window. */
export type SaleState = 'open' | 'paused' | 'closed';

/** A list of this many units takes Redis about 100 MB, and a second to load; no drop is larger. */
export const UNITS_MAX = 10_000_000;

/** The largest amount that one order or one credit is about, in minor units: beyond it, somebody slipped on the keyboard. */
export const AMOUNT_MINOR_MAX = 1_000_000_000_000;

/** ISO 4217's form. Whether such a currency exists is the operator's matter. */
export const CURRENCY_PATTERN = /^[A-Z]{3}$/;

/** One sale, as it is stored. Money in minor units, times in ms since the epoch, UTC. */
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
  /** Refuses buyers while another purchase of theirs, in any sale that asks the same, is neither paid nor ended. */
  onePurchaseAtATime: boolean;
  /** Refuses buyers for so long after they won in a sale that asks the same; 0 for no such pause. */
  minSecondsBetweenPurchases: number;
  state: SaleState;
  generation: number;
}

/** What the page shows. */
export type SalePhase = 'upcoming' | 'open' | 'sold_out' | 'paused' | 'closed';

/**
 * @param sale a sale
 * @returns how many buyers may be on standby, at most
 */
export function standbyCap(sale: Pick<Sale, 'units' | 'standbyFactor'>): number {
  return sale.units * sale.standbyFactor;
}

/**
 * @param sale a sale
 * @returns whether it has rules about its buyers' purchases in other sales
 */
export function hasPurchaseRules(sale: Pick<Sale, 'onePurchaseAtATime' | 'minSecondsBetweenPurchases'>): boolean {
  return sale.onePurchaseAtATime || sale.minSecondsBetweenPurchases > 0;
}

/**
 * @param sale what the operator decided, and the window
 * @param remaining free units
 * @param nowMs the time by Redis's clock, in ms since the epoch
 * @returns what a visitor should be told
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
