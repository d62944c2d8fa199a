import { z } from 'zod';
import { ID_PATTERN, PLACE_BATCH_MAX } from '../rules/claim.js';
import { DISPUTE_STATES } from '../rules/dispute.js';
import { PAYMENT_STATES } from '../rules/payment.js';
import { CURRENCY_PATTERN, PROVIDER_NAMES } from '../rules/sale.js';
import { providerText } from '../values/text.js';

const id = z.string().regex(ID_PATTERN);
const report = z.object({
  paymentId: providerText,
  orderId: z.uuid().optional(),
  state: z.enum(PAYMENT_STATES),
  amountMinor: z.int().min(0),
  currency: z.string().regex(CURRENCY_PATTERN),
  refundedMinor: z.int().min(0).optional(),
});
const dispute = z.object({
  disputeId: providerText,
  paymentId: providerText,
  orderId: z.uuid().optional(),
  state: z.enum(DISPUTE_STATES),
  amountMinor: z.int().min(0),
  currency: z.string().regex(CURRENCY_PATTERN),
});

const claim = z.object({ claimId: z.uuid(), buyerId: id, unit: z.int().min(1) });

/**
 * The data of each job: ids only, as prices, deadlines and statuses are read from Postgres. Only a payment event
 * carries its signed content, which is compared with Postgres.
 */
export const JOB_DATA = {
  'place-waiting': z.object({ saleId: id }),
  // Of APIs before `place-waiting`, whose jobs repeated the claims. A worker of that time can't read the newer ones.
  'place-orders': z.object({ saleId: id, claims: z.array(claim).min(1).max(PLACE_BATCH_MAX) }),
  'expire-due': z.object({ dueAtMs: z.int() }),
  // Of workers before `expire-due`, with one job for each batch of placed orders.
  'expire-orders': z.object({ saleId: id, claimIds: z.array(z.uuid()).min(1).max(PLACE_BATCH_MAX) }),
  'pay-order': z.object({ saleId: id, claimId: z.uuid(), buyerId: id }),
  'payment-event': z.object({
    provider: z.enum(PROVIDER_NAMES),
    event: z.object({
      eventId: providerText,
      type: providerText,
      report: report.optional(),
      dispute: dispute.optional(),
    }),
  }),
  // A claim that was not placed yet becomes a cancelled order, with the group of its buyer.
  'cancel-order': z.object({
    saleId: id,
    claimId: z.uuid(),
    buyerId: id,
    unit: z.int().min(1),
    group: id.exactOptional(),
  }),
  'settle-receipt': z.object({ saleId: id, claimId: z.uuid(), buyerId: id, unit: z.int().min(1) }),
} as const;

/** The name of a job. Its queue, its file in core/steps and its metric label share this name. */
export type JobName = keyof typeof JOB_DATA;
/** The data of the job with a given name. */
export type JobData<N extends JobName> = z.infer<(typeof JOB_DATA)[N]>;
/** The names of all jobs. */
export const JOB_NAMES = Object.keys(JOB_DATA) as JobName[];
