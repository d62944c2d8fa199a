import { passContract } from '../passes/contract.js';
import { buyContract } from './buy.js';
import { cancel } from './cancel.js';
import { draw, drawEntries, drawProof } from './draws.js';
import { guestToken } from './guest-token.js';
import { healthz } from './healthz.js';
import { openapi } from './openapi.js';
import { orderStatus } from './order-status.js';
import { pay } from './pay.js';
import { paymentWebhookContract } from './payment-webhook.js';
import { readyz } from './readyz.js';
import { sales } from './sales.js';

/**
 * Returns every endpoint that Express answers. `POST /buy/:saleId`, `POST /pass/:saleId` and the payment webhook
 * have listeners of their own.
 *
 * @param config with GUEST_TOKENS, `POST /guest-token` is among the endpoints
 */
export function endpointsOf(config: { readonly GUEST_TOKENS: boolean }) {
  const draws = [draw, drawEntries, drawProof];
  const guests = config.GUEST_TOKENS ? [guestToken] : [];
  const endpoints = [sales, orderStatus, pay, cancel, ...draws, healthz, readyz, ...guests];
  return [...endpoints, openapi([buyContract, passContract, paymentWebhookContract, ...endpoints])];
}
