import type { ApiConfig } from '../context.js';
import type { Endpoint } from '../http/endpoint.js';
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
 * @param config decides whether there are guests
 * @returns every endpoint but buying and the webhook of payment providers, which come before Express
 */
export function endpointsOf(config: Pick<ApiConfig, 'GUEST_TOKENS'>): Endpoint[] {
  const endpoints = [sales, orderStatus, pay, cancel, healthz, readyz, ...(config.GUEST_TOKENS ? [guestToken] : [])];
  return [...endpoints, openapi([buyContract, paymentWebhookContract, ...endpoints])];
}
