/**
 * One visitor's purchase as a pure state machine: the events so far, and the next request to the API. At most one
 * request is in flight, so no answer overtakes another.
 *
 * @typedef {'idle' | 'resuming' | 'buying' | 'joined' | 'drawing' | 'queued' | 'standby' | 'payable' | 'paying' | 'cancelling' | 'paid'
 *   | 'ended'} Step
 * @typedef {{claimId?: string, unit?: number, amountMinor?: number, currency?: string, currencyDigits?: number,
 *   refundedMinor?: number, payByMs?: number, position?: number, entry?: number, status?: string, reason?: string,
 *   paymentUrl?: string}} Order
 * @typedef {object} Purchase
 * @property {Step} step
 * @property {Order} order the order in the API's last answer
 * @property {string} notice the key in `texts.notice` of a text shown beside the step, '' for none
 * @property {string} end how the purchase ended: an order's status, or the code of a refusal; '' before the end
 * @property {boolean} clicked whether this visitor has asked for a unit: then an order may exist
 * @property {boolean} stoodBy whether this visitor was on standby, the list of buyers who get units that come back
 * @property {boolean} promoted whether the visitor got the unit from standby
 * @property {boolean} greeted whether the page has requested a guest token for the visitor
 * @property {boolean} polls whether the page polls instead of waiting: other tabs of this visitor wait
 * @property {number} tries how often the present request failed, or was answered without news
 * @property {string} [receipt] the API's signed proof of the claim, or of the entry in a draw
 * @property {string} [seen] the id of the claim whose end this visitor has read
 *
 * @typedef {import('./api.js').Answer} Answer
 * @typedef {Exclude<import('./api.js').Call, 'sale' | 'pass' | 'draw' | 'proof'>} PurchaseCall
 * @typedef {{call: PurchaseCall, afterMs: number, spreadMs: number, known?: string}} Request to be sent after
 *   `afterMs`, plus up to `spreadMs` at random: a crowd refused together must not come back together. `known` is the
 *   ETag of the last answer: the API waits until the answer has another one
 * @typedef {{type: 'load' | 'click' | 'pay' | 'giveUp' | 'restart' | 'close'}
 *   | {type: 'answer', call: PurchaseCall, answer: Answer}} Event
 * @typedef {{purchase: Purchase, request?: Request}} Next
 */

const POLL_MS = 1_000;
const POLL_MIN_MS = 200;
/**
 * The longest back-off before a failed request is repeated, in ms. It is short because the visitor may have an order to
 * pay in time.
 */
const BACKOFF_MAX_MS = 5_000;
const SPREAD_MS = 1_000;
/**
 * The most attempts of a buy, token, pay or cancel request, about 20 s with back-off. Then the visitor decides whether
 * to try again.
 */
const TRIES_MAX = 6;
/** The longest `Retry-After` that the page waits out by itself, in ms. The visitor faces a grey button meanwhile. */
const PATIENCE_MS = 60_000;
/**
 * The number of polls, one per second, after which the outcome of a payment or cancellation is overdue. The visitor may
 * then repeat the request, which is idempotent.
 */
const POLLS_MAX = 15;
/**
 * For this many polls after a payment request, the status may still show the refusal of the visitor's payment before.
 */
const STALE_POLLS = 3;

/**
 * Creates a purchase in which nothing has happened yet.
 *
 * @param {import('./visit.js').Visit} [visit] the facts that this browser stored before
 * @returns {Purchase}
 */
export function startPurchase(visit = {}) {
  const blank = { clicked: false, stoodBy: false, promoted: false };
  return { step: 'idle', order: {}, notice: '', end: '', greeted: false, polls: false, tries: 0, ...blank, ...visit };
}

/**
 * Computes a purchase's next state and next request.
 *
 * @param {Purchase} purchase
 * @param {Event} event a decision of the visitor, or an answer of the API
 * @returns {Next | undefined} the next purchase, with the only request from now on; undefined when the event changes
 *   nothing
 */
export function next(purchase, event) {
  const { step } = purchase;
  switch (event.type) {
    case 'load':
      return go(purchase, { step: 'resuming' }, 'status');
    case 'click':
      return step === 'idle' ? buy(purchase) : undefined;
    case 'restart':
      if (step !== 'ended') return undefined;
      // A visitor who was signed out during the purchase may still have its order. So the page reads the order's
      // status, and does not buy.
      return purchase.end === 'signed_out' ? go(purchase, { step: 'resuming' }, 'status') : buy(purchase);
    case 'close':
      return step === 'ended' ? { purchase: afresh(purchase) } : undefined;
    case 'pay':
      return step === 'payable' ? go(purchase, { step: 'paying', notice: '', tries: 0 }, 'pay') : undefined;
    case 'giveUp':
      if (step !== 'payable' && !IN_LINE.includes(step)) return undefined;
      return go(purchase, { step: 'cancelling', notice: '', tries: 0 }, 'cancel');
    case 'answer':
      return ANSWERS[event.call](purchase, event.answer);
  }
}

/** Refusals of a click before anybody may buy or join. */
export const NOT_YET = ['not_open', 'pass_early', 'pass_too_early'];

const REFUSALS_WITH_WORDS = ['sold_out', 'unpaid_limit', 'group_limit', 'sale_closed', 'unknown_sale', 'no_work'];

/** Refusals of a click whose pass is of no use. The next click has another one. */
export const PASS_REFUSED = ['pass_required', 'bad_pass', 'pass_expired', 'bad_solution'];

/** The steps of a visitor who waits for a unit, in the order in which they come. */
const IN_LINE = ['joined', 'drawing', 'standby'];

const ANSWERS = { token: afterToken, buy: afterBuy, status: afterStatus, pay: afterOrder, cancel: afterOrder };

/**
 * Returns a purchase that starts over. It keeps the claim whose end the visitor has read, so that a reload doesn't show
 * that end again. It also keeps that the page polls.
 */
const afresh = ({ order, seen, polls }) => ({ ...startPurchase({ seen: order.claimId ?? seen }), polls });

const buy = purchase => go(afresh(purchase), { step: 'buying', clicked: true }, 'buy');

function afterToken(purchase, answer) {
  if (answer.ok) return go(purchase, { tries: 0 }, 'buy');
  return isPassing(answer) ? retry(purchase, 'token', answer) : end(purchase, 'sign_in');
}

function afterBuy(purchase, answer) {
  if (answer.ok)
    return learn({ ...purchase, receipt: answer.body.receipt ?? purchase.receipt, notice: '' }, answer.body);
  if (isPassing(answer)) return retry(purchase, 'buy', answer);
  if (answer.status === 401) {
    return purchase.greeted ? end(purchase, 'sign_in') : go(purchase, { greeted: true, tries: 0 }, 'token');
  }
  if (NOT_YET.includes(answer.code)) return { purchase: { ...afresh(purchase), notice: 'not_open' } };
  return end(purchase, REFUSALS_WITH_WORDS.includes(answer.code) ? answer.code : 'unavailable');
}

function afterStatus(purchase, answer) {
  if (answer.ok) return learn(polling(purchase, answer), answer.body, answer.etag);
  // The page was just loaded. A visitor who never clicked in it and has no receipt, or is signed out, most likely has no order to wait
  // for. The receipt stays for the time when they have signed in again.
  if (purchase.step === 'resuming' && (!(purchase.clicked || purchase.receipt) || answer.status === 401))
    return { purchase: { ...afresh(purchase), receipt: purchase.receipt } };
  if (answer.status === 401) return end(purchase, 'signed_out');
  if (answer.code === 'unknown_sale') return end(purchase, 'unknown_sale');
  // The receipt is of an earlier visitor of this browser. Without it the API says where this one stands.
  if (answer.code === 'bad_receipt') return go({ ...purchase, receipt: undefined }, {}, 'status');
  return again(purchase, 'status', answer);
}

/**
 * Returns a purchase that has read its order's status. Once the API has not waited, the page polls for good. Else the
 * tabs of a visitor would end the waits of each other again and again.
 */
const polling = (purchase, { body, waits }) => ({
  ...purchase,
  receipt: body.receipt ?? purchase.receipt,
  polls: purchase.polls || waits === false,
});

/**
 * Handles the answers to a pay or cancel request. The API only accepts the request; its outcome comes with the order's
 * status.
 */
function afterOrder(purchase, answer) {
  if (answer.ok) return go(purchase, { tries: 0, notice: '' }, 'status', pollMs(answer.body));
  if (answer.status === 409) return go(purchase, resting(purchase), 'status');
  if (answer.status === 401) return end(purchase, 'signed_out');
  if (isWorthRetrying(purchase, answer)) return again(purchase, purchase.step === 'paying' ? 'pay' : 'cancel', answer);
  return go(purchase, { ...resting(purchase), notice: 'slow', tries: 0 }, 'status');
}

/**
 * Updates the purchase with the order's status from an answer. While the visitor only waits, the API may hold the next
 * answer back until the status changes. After a pay or cancel request the page polls.
 */
function learn(purchase, { status, pollAfterMs, payBy, ...rest }, known) {
  const { claimId, unit, amountMinor, currency, currencyDigits, refundedMinor, position, entry, reason, paymentUrl } =
    rest;
  const money = { amountMinor, currency, currencyDigits, refundedMinor };
  const payByMs = payBy ? Date.parse(payBy) : undefined;
  const order = { claimId, unit, ...money, payByMs, position, entry, status, reason, paymentUrl };
  const seen = { ...purchase, order };
  const poll = change => {
    const following = { tries: 0, notice: '', ...change };
    const { purchase: waiting, request } = go(seen, following, 'status', pollMs({ pollAfterMs }));
    return { purchase: waiting, request: { ...request, ...(known && !purchase.polls && { known }) } };
  };
  const promoted = purchase.promoted || (purchase.stoodBy && status !== 'standby');
  switch (status) {
    case 'joined':
    case 'drawing':
      if (isAwaited(purchase)) return pollOn(purchase, seen);
      // A whole crowd has joined: nobody waits at the API for an opening that the page knows.
      return go(seen, { tries: 0, notice: '', step: status, clicked: true }, 'status', pollMs({ pollAfterMs }));
    case 'standby':
      return isAwaited(purchase) ? pollOn(purchase, seen) : poll({ step: 'standby', clicked: true, stoodBy: true });
    case 'queued':
      return poll({ step: 'queued', clicked: true, promoted });
    case 'pending_payment':
      if (isAwaited(purchase)) return awaitOutcome(purchase, seen);
      return poll({ step: 'payable', clicked: true, promoted, notice: noticeOf(purchase, reason) });
    case 'paid':
      // The order is in Postgres, so it needs no receipt.
      return { purchase: { ...seen, step: 'paid', promoted, clicked: true, notice: '', receipt: undefined } };
    case 'none':
      return forget(purchase);
    default:
      return over(purchase, seen, status);
  }
}

/** Tells whether the page waits for the outcome of a pay or cancel request. */
const isAwaited = ({ step }) => step === 'paying' || step === 'cancelling';

/**
 * Continues to wait for the outcome of a pay or cancel request while the order is unpaid. A refused payment ends the
 * wait, unless the refusal may be that of the payment before.
 */
function awaitOutcome(purchase, seen) {
  const refused = purchase.step === 'paying' && seen.order.reason;
  const isNews = purchase.order.reason !== seen.order.reason || purchase.tries >= STALE_POLLS;
  // The visitor pays on the payment provider's page. Until then this page has no outcome to wait for.
  if (purchase.step === 'paying' && seen.order.paymentUrl) {
    return go(seen, { step: 'payable', tries: 0, notice: 'elsewhere' }, 'status', POLL_MS);
  }
  if (!refused || !isNews) return pollOn(purchase, seen);
  return go(seen, { step: 'payable', tries: 0, notice: seen.order.reason }, 'status', POLL_MS);
}

/**
 * Polls the order's status again for the outcome of a pay or cancel request. After POLLS_MAX polls, the visitor may
 * repeat the request.
 */
function pollOn(purchase, seen) {
  const tries = purchase.tries + 1;
  if (tries < POLLS_MAX) return go(seen, { tries }, 'status', POLL_MS);
  return go(seen, { ...resting(seen), tries: 0, notice: 'slow' }, 'status', POLL_MS);
}

/** Returns the step of a visitor with no pay or cancel request in progress: one who waits for a unit, or has an order to pay. */
const resting = ({ order: { status } }) => ({ step: IN_LINE.find(step => step === status) ?? 'payable' });

/** Notices that the page sets itself and keeps until the visitor acts. The API's next status doesn't contain them. */
const STAYING = ['slow', 'elsewhere'];
const noticeOf = (purchase, reason) => reason ?? (STAYING.includes(purchase.notice) ? purchase.notice : '');

function over(purchase, seen, status) {
  const isOld = purchase.seen !== undefined && purchase.seen === seen.order.claimId;
  // The ended order may be an earlier one whose end the visitor has read, for example before being on standby. It did
  // not end just now.
  return isOld ? forget(purchase) : end(seen, status);
}

function forget(purchase) {
  // A receipt of an earlier visit, or of somebody else, is no click in this one.
  if (purchase.step === 'resuming' && !(purchase.clicked && purchase.receipt)) return { purchase: afresh(purchase) };
  return end(purchase, purchase.step === 'cancelling' ? 'left' : 'none');
}

/**
 * Ends of a purchase after which an order may still exist. After a reload the page reads its status, with the stored
 * receipt.
 */
const OPEN_ENDS = ['unavailable', 'signed_out'];

function end(purchase, how) {
  const past = OPEN_ENDS.includes(how) ? {} : { clicked: false, stoodBy: false, receipt: undefined };
  return { purchase: { ...purchase, ...past, step: 'ended', end: how, notice: '' } };
}

const isPassing = ({ status, code }) =>
  status === 0 || status === 429 || status >= 500 || code === 'others_first' || PASS_REFUSED.includes(code);

const isWorthRetrying = (purchase, answer) =>
  isPassing(answer) && purchase.tries + 1 < TRIES_MAX && answer.retryAfterMs <= PATIENCE_MS;

function retry(purchase, call, answer) {
  if (isWorthRetrying(purchase, answer)) return again(purchase, call, answer);
  return end(purchase, ['too_soon', 'others_first'].includes(answer.code) ? answer.code : 'unavailable');
}

function again(purchase, call, answer) {
  const notice = ['too_soon', 'others_first', 'too_many_requests'].includes(answer.code)
    ? answer.code
    : interruption(answer);
  return go(purchase, { tries: purchase.tries + 1, notice }, call, backoffMs(purchase, answer), SPREAD_MS);
}

const interruption = ({ status }) => (status === 0 ? 'offline' : 'busy');

const backoffMs = ({ tries }, { retryAfterMs }) =>
  Math.max(retryAfterMs, Math.min(BACKOFF_MAX_MS, POLL_MS * 2 ** tries));

const pollMs = body => Math.max(POLL_MIN_MS, body?.pollAfterMs ?? POLL_MS);

function go(purchase, change, call, afterMs = 0, spreadMs = 0) {
  return { purchase: { ...purchase, ...change }, request: { call, afterMs, spreadMs } };
}
