import { signEntry } from '#core/identity/receipt.js';
import type { TokenVerifier } from '#core/identity/token.js';
import type { TokenBuyer } from '#core/identity/token-refusal.js';
import type { ClaimOutcome } from '#core/redis/claims/claim.js';
import { ID_PATTERN } from '#core/rules/claim.js';
import { joinedAnswer, standbyAnswer } from '../answers/claim-answer.js';
import { type Backpressure, pollAfterIn, pollAfterMs, pollTimesOf } from '../answers/poll.js';
import { othersFirst, type Refused, saleRefused, tooSoon } from '../answers/refusal.js';
import { type ClaimBatch, memberOf } from '../batching/claim-batch.js';
import type { RefuseAtTurnEnd } from '../batching/turn-refusals.js';
import { passSmallBody } from '../http/body.js';
import { verifiedBuyer } from '../http/buyer.js';
import { READY, sendError, sendProblem } from '../http/problem.js';
import { sendJson } from '../http/reply.js';
import type { BuyerLimits } from '../limits/buyer-limits.js';
import type { QuickClicks } from '../limits/quick-clicks.js';
import type { Admission } from '../load/load.js';
import type { Mirrors } from '../mirror/mirrors.js';
import type { Sales } from '../mirror/sales.js';
import type { PassGate } from '../passes/pass-gate.js';
import { addressOf, type FirstListener } from './first-listener.js';
import { type Click, type SendClaimParts, sendClaim } from './send-claim.js';

const PREFIX = '/buy/';

/** The parts of the API that turn the outcome of a claim into an answer. */
interface OutcomeParts extends SendClaimParts {
  readonly sales: Pick<Sales, 'find' | 'known' | 'ask'>;
}

/** The parts of the API that serve a click, which is one `POST /buy/:saleId`. */
export interface BuyParts extends OutcomeParts {
  readonly verifyToken: TokenVerifier;
  readonly limits: Pick<BuyerLimits, 'refusalOf'>;
  readonly quickClicks: Pick<QuickClicks, 'clicked'>;
  readonly mirrors: Pick<Mirrors, 'refusalOf'>;
  readonly passes: Pick<PassGate, 'knows' | 'learn' | 'refusalOf'>;
  readonly refuse: RefuseAtTurnEnd;
  readonly claims: Pick<ClaimBatch, 'ask'>;
  readonly load: Backpressure & Admission;
}

/**
 * Creates the listener for `POST /buy/:saleId`, the one call that a whole crowd makes at once. It uses no framework and
 * parses no body. All clicks for one sale in one turn of the event loop share one round trip to Redis.
 */
export function createBuyListener(parts: BuyParts): FirstListener {
  return (req, res) => {
    const url = req.url ?? '';
    if (!url.startsWith(PREFIX)) return false;
    const { saleId } = addressOf(url, PREFIX);
    // Another path, such as one that ends in a slash. Express answers it with 404.
    if (saleId === '' || saleId.includes('/')) return false;
    if (req.method !== 'POST') {
      res.setHeader('allow', 'POST');
      sendProblem(res, 'method_not_allowed');
      return true;
    }
    passSmallBody(req, res, () => {
      try {
        buy(parts, { req, res, saleId });
      } catch (error) {
        sendError(res, error, 'buy');
      }
    });
    return true;
  };
}

function buy(parts: BuyParts, { req, res, saleId }: Omit<Click, 'buyerId'>): void {
  if (!ID_PATTERN.test(saleId))
    return void sendProblem(res, 'invalid_request', { detail: 'no sale has an id like this' });
  const { buyerId, group } = verifiedBuyer(req, parts.verifyToken);
  parts.quickClicks.clicked(buyerId);
  const limited = parts.limits.refusalOf('clicks', buyerId);
  if (limited) return void parts.refuse(res, limited);
  // A sale with nothing to give refuses buyers from this process's memory. So Redis is left to the buyers whom it can
  // serve.
  const refusal = parts.mirrors.refusalOf(saleId, buyerId);
  if (refusal !== undefined) return void parts.refuse(res, READY[refusal]);
  const click = { req, res, saleId, buyerId, group };
  if (parts.passes.knows(saleId)) return void claim(parts, click);
  // No buyer gets in before it is known whether the sale needs passes.
  parts.passes.learn(saleId, error => {
    if (error) return sendError(res, error, 'buy');
    try {
      claim(parts, click);
    } catch (refused) {
      sendError(res, refused, 'buy');
    }
  });
}

/** A click with the group of its buyer, if the token names one. */
type GroupClick = Click & { group: TokenBuyer['group'] };

/** Claims a unit for a buyer whose pass is good, if the sale needs one. A click with a bad one costs no I/O. */
function claim(parts: BuyParts, click: GroupClick): void {
  const { req, res, saleId, buyerId } = click;
  const withoutPass = parts.passes.refusalOf(saleId, buyerId, req);
  if (withoutPass) return void parts.refuse(res, withoutPass);
  // A refusal from memory is true and costs no more than a 503, so only clicks that need Redis are shed.
  parts.load.admit('claim', saleId);
  const accepted = parts.claims.ask(saleId, memberOf(click), (outcome, error) => {
    if (outcome) sendOutcome(parts, click, outcome);
    else sendError(res, error, 'buy');
  });
  if (!accepted) sendProblem(res, 'too_many_requests', { retryAfterSeconds: 1 });
}

function sendOutcome(parts: OutcomeParts, click: Click, outcome: ClaimOutcome): void {
  const { res, saleId } = click;
  switch (outcome.kind) {
    case 'won':
    case 'held':
      return void sendClaim(parts, click, outcome);
    case 'standby':
      return void sendJson(res, {
        status: 202,
        body: standbyAnswer(outcome.position, pollAfterIn(parts, saleId, 'standby')),
      });
    case 'joined':
      return void sendJoined(parts, click, outcome);
    case 'sold_out':
    case 'unpaid_limit':
    case 'group_limit':
      return void sendProblem(res, outcome.kind);
    case 'too_soon':
      return void sendRefused(res, tooSoon(outcome));
    case 'others_first':
      return void sendRefused(res, othersFirst(outcome));
    case 'refused':
      return void sendRefusal(parts.sales, click, outcome);
  }
}

const sendRefused = (res: Click['res'], { code, details }: Refused) => sendProblem(res, code, details);

/** Answers a click that is in a line whose order is not made yet. An entry comes with its receipt every time. */
function sendJoined(
  parts: OutcomeParts,
  { res, saleId, buyerId }: Click,
  { entry, isBeforeOpening }: Extract<ClaimOutcome, { kind: 'joined' }>,
): void {
  const receipt = entry === undefined ? undefined : signEntry(parts.receiptKey, { saleId, buyerId, number: entry });
  const status = isBeforeOpening ? 'joined' : 'drawing';
  // The pause depends on the opening. Without the sale it is a short one.
  parts.sales.ask(saleId, sale => {
    const pause = pollAfterMs(status, parts.load.slowdown, sale && pollTimesOf(sale));
    sendJson(res, { status: 202, body: joinedAnswer({ status, entry, receipt }, pause) });
  });
}

function sendRefusal(
  sales: Pick<Sales, 'ask'>,
  { res, saleId }: Click,
  { refusal, opensAtMs = 0 }: Extract<ClaimOutcome, { kind: 'refused' }>,
): void {
  const { code, details } = saleRefused(refusal, opensAtMs);
  // A single buyer is refused by a sale that sells, so it is not hidden.
  if (refusal === 'locks_away') return void sendProblem(res, code, details);
  // The look-up finds out whether the sale doesn't exist or is hidden, or Redis may have lost it.
  sales.ask(saleId, (sale, error) => {
    if (sale) sendProblem(res, code, details);
    else sendError(res, error, 'buy');
  });
}
