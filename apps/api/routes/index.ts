import { buyContract } from './buy.js';
import { cancel } from './cancel.js';
import { guestToken } from './guest-token.js';
import { healthz } from './healthz.js';
import { openapi } from './openapi.js';
import { orderStatus } from './order-status.js';
import { pay } from './pay.js';
import { paymentWebhookContract } from './payment-webhook.js';
import { readyz } from './readyz.js';
import { sales } from './sales.js';

/**
 * Returns every endpoint that Express answers. Clicks and the webhook of payment providers have listeners of their own.
 *
 * @param config decides whether there are guests
 */
export function endpointsOf(config: { readonly GUEST_TOKENS: boolean }) {
  const endpoints = [sales, orderStatus, pay, cancel, healthz, readyz, ...(config.GUEST_TOKENS ? [guestToken] : [])];
  return [...endpoints, openapi([buyContract, paymentWebhookContract, ...endpoints])];
}
