import { z } from 'zod';
import { PROVIDER_NAMES } from '#core/rules/sale.js';
import type { Contract } from '../http/endpoint.js';

/**
 * The contract of the payment webhook, for /openapi.json. Its listener, apps/api/listeners/payment-webhook.ts, reads
 * the raw bytes itself.
 */
export const paymentWebhookContract: Contract = {
  method: 'post',
  path: '/webhooks/payments/:provider',
  summary: 'For a payment provider: tell of an event, signed over its raw bytes',
  params: z.object({ provider: z.enum(PROVIDER_NAMES) }),
  query: z.object({}),
  replies: {
    200: {
      description: 'Redis has the event; sending it again is harmless',
      body: z.object({ received: z.literal(true) }),
    },
  },
  problems: ['bad_signature', 'unknown_provider', 'too_many_requests'],
  forBuyer: false,
};
