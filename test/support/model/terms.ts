import type { ClaimRecord, EndedStatus } from '#core/rules/claim.js';
import type { SaleState } from '#core/rules/sale.js';

/** The statuses of a live claim. */
export type LiveStatus = 'queued' | 'pending_payment' | 'paid';

/** The outcome for a buyer, in words that the model and the outcomes of scripts share. */
export type Expected = string;

/** The settings of a sale. */
export interface Terms {
  units: number;
  standbyFactor: number;
  onePurchaseAtATime: boolean;
  unpaidLimit: number;
  perGroup: number;
  /** Buyers have a pause after a purchase, which lasts until a command ends it. */
  hasPause: boolean;
}

/** A claim that is released. */
export interface Releasing {
  buyerId: string;
  claimId: string;
  status: EndedStatus;
  freesUnit: boolean;
}

/** A status of an order that is recorded on its claim. */
export interface Recording {
  buyerId: string;
  claimId: string;
  status: LiveStatus;
  payByMs: number;
  reason: string | undefined;
}

/** A sale in Redis, without its clock. */
export interface Picture {
  units: number;
  cap: number;
  state: SaleState;
  generation: number;
  gate: string;
  stock: number[];
  claims: Map<string, ClaimRecord>;
  outbox: string[];
  standby: string[];
  locks: Map<string, string>;
  pausing: Set<string>;
}
