/**
 * The states of a dispute, which a buyer opens at the bank. `inquiry`: the bank asks, and takes nothing. `open`: the
 * bank withholds the amount. `won`: the shop has the money again. `lost`: the buyer keeps it. A dispute only moves to a
 * later state, so an event that comes late changes nothing.
 */
export const DISPUTE_STATES = ['inquiry', 'open', 'won', 'lost'] as const;
/** The state of one dispute. */
export type DisputeState = (typeof DISPUTE_STATES)[number];

/** A dispute: its state, and the amount in minor units. */
export interface Dispute {
  state: DisputeState;
  amountMinor: number;
}

/** A dispute as the payment provider reports it. */
export interface DisputeReport extends Dispute {
  disputeId: string;
  paymentId: string;
  orderId?: string | undefined;
  /** The ISO 4217 code of the amount's currency. */
  currency: string;
}

/** Joins what is known of a dispute with a report about it. The order of reports makes no difference. */
export function joinDispute(known: Dispute | undefined, { state, amountMinor }: Dispute): Dispute {
  if (!known) return { state, amountMinor };
  const rank = Math.max(DISPUTE_STATES.indexOf(known.state), DISPUTE_STATES.indexOf(state));
  return { state: DISPUTE_STATES[rank] ?? state, amountMinor: Math.max(known.amountMinor, amountMinor) };
}

/** Adds up what a payment's disputes withhold, and what was lost through them. */
export function disputedAmounts(disputes: readonly Dispute[]): { withheldMinor: number; lostMinor: number } {
  const sum = (state: DisputeState) =>
    disputes.filter(one => one.state === state).reduce((total, { amountMinor }) => total + amountMinor, 0);
  return { withheldMinor: sum('open'), lostMinor: sum('lost') };
}
