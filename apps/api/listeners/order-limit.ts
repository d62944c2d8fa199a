import type { TokenVerifier } from '#core/identity/token.js';
import { ID_PATTERN } from '#core/rules/claim.js';
import type { RefuseAtTurnEnd } from '../batching/turn-refusals.js';
import { hasSmallBody, refuseUnread } from '../http/body.js';
import { buyerOf } from '../http/buyer.js';
import { sendError } from '../http/problem.js';
import type { BuyerLimits } from '../limits/buyer-limits.js';
import { addressOf, type FirstListener } from './first-listener.js';

/** The paths of the calls for an order, before the sale's id. */
const PREFIXES = ['/pay/', '/cancel/'];

/** The parts of the API that refuse calls for an order. */
export interface OrderLimitParts {
  readonly verifyToken: TokenVerifier;
  readonly limits: Pick<BuyerLimits, 'overLimit'>;
  readonly refuse: RefuseAtTurnEnd;
}

/**
 * Creates the listener that refuses a buyer's calls beyond the limit, to pay and to cancel. A call within the limit is
 * left to Express, whose endpoint counts it. A flood never gets there, where a refusal costs several times as much.
 */
export function createOrderLimitListener({ verifyToken, limits, refuse }: OrderLimitParts): FirstListener {
  return (req, res) => {
    const url = req.url ?? '';
    const prefix = req.method === 'POST' && PREFIXES.find(path => url.startsWith(path));
    if (!prefix || !ID_PATTERN.test(addressOf(url, prefix).saleId)) return false;
    try {
      const problem = limits.overLimit('orders', buyerOf(req, verifyToken));
      if (!problem) return false;
      if (hasSmallBody(req)) refuse(res, problem);
      else refuseUnread(req, res, { problem, bytesMax: 0 });
    } catch (error) {
      if (!hasSmallBody(req)) return false;
      sendError(res, error, prefix);
    }
    return true;
  };
}
