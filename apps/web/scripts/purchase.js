/**
 * One visitor's purchase as a pure state machine: what has happened, and what to ask the server next. At most one
 * question is under way, so no answer overtakes another.
 *
 * @typedef {'idle' | 'resuming' | 'buying' | 'queued' | 'standby' | 'payable' | 'paying' | 'cancelling' | 'paid' | 'ended'} Step
 * @typedef {{claimId?: string, unit?: number, amountMinor?: number, currency?: string, payByMs?: number,
 *   position?: number, reason?: string, paymentUrl?: string}} Order
 * @typedef {object} Purchase
 * @property {Step} step
 * @property {Order} order what the server last said
 * @property {string} notice key of a text shown beside the step, '' for none
 * @property {string} end how it ended: a status, or the code of a refusal
 * @property {boolean} clicked whether this visitor has asked for a unit: then an order may exist
 * @property {boolean} lined whether they were on standby
 * @property {boolean} promoted whether the unit came from standby
 * @property {boolean} greeted whether a guest token was asked for
 * @property {number} tries how often the present question failed, or was answered without news
 * @property {string} [receipt] proof of the claim
 * @property {string} [seen] the claim whose end this visitor has read
 *
 * @typedef {import('./api.js').Answer} Answer
 * @typedef {Exclude<import('./api.js').Call, 'sale'>} Question
 * @typedef {{call: Question, afterMs: number, spreadMs: number, known?: string}} Errand ask this, after that many ms, and up
 *   to `spreadMs` later, chosen at random: a crowd turned away together must not come back together. `known` is the tag of
 *   an answer: the server need not answer before it has another one
 * @typedef {{type: 'load' | 'click' | 'pay' | 'giveUp' | 'restart' | 'close'}
 *   | {type: 'answer', call: Question, answer: Answer}} Event
 * @typedef {{purchase: Purchase, errand?: Errand}} Next
 */

const POLL_MS = 1_000;
const POLL_MIN_MS = 200;
/** Errors slow polling down to this and no further: the truth may be worth money. */
const BACKOFF_MAX_MS = 5_000;
const SPREAD_MS = 1_000;
/** Then the visitor decides whether to go on. With back-off that is about 20 s. */
const TRIES_MAX = 6;
/** Nobody looks at a grey button for longer than this. */
const PATIENCE_MS = 60_000;
/** Polls after which an answer to pay or cancel is overdue; asking again is harmless. */
const POLLS_MAX = 15;
/** A refusal of the payment before this one may still be shown for so many polls. */
const STALE_POLLS = 3;

/**
 * @param {import('./visit.js').Visit} [visit] what this tab did before it was reloaded
 * @returns {Purchase} nothing bought, nothing asked
 */
export function startPurchase(visit = {}) {
  const blank = { clicked: false, lined: false, promoted: false };
  return { step: 'idle', order: {}, notice: '', end: '', greeted: false, tries: 0, ...blank, ...visit };
}

/**
 * @param {Purchase} purchase
 * @param {Event} event what the visitor did, or what the server answered
 * @returns {Next | undefined} what follows, with the only question to be under way from now on; undefined when the
 *   event changes nothing
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
      // Who was signed out in the middle has an order to come back to.
      return purchase.end === 'signed_out' ? go(purchase, { step: 'resuming' }, 'status') : buy(purchase);
    case 'close':
      return step === 'ended' ? { purchase: afresh(purchase) } : undefined;
    case 'pay':
      return step === 'payable' ? go(purchase, { step: 'paying', notice: '', tries: 0 }, 'pay') : undefined;
    case 'giveUp':
      if (step !== 'payable' && step !== 'standby') return undefined;
      return go(purchase, { step: 'cancelling', notice: '', tries: 0 }, 'cancel');
    case 'answer':
      return ANSWERS[event.call](purchase, event.answer);
  }
}

const ANSWERS = { token: afterToken, buy: afterBuy, status: afterStatus, pay: afterOrder, cancel: afterOrder };

/** Nothing is left of the last try but that its end was read: a reload must not tell it again. */
const afresh = ({ order, seen }) => startPurchase({ seen: order.claimId ?? seen });

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
  if (answer.code === 'not_open') return { purchase: { ...afresh(purchase), notice: 'not_open' } };
  const known = ['sold_out', 'sale_closed', 'unknown_sale'].includes(answer.code);
  return end(purchase, known ? answer.code : 'unavailable');
}

function afterStatus(purchase, answer) {
  if (answer.ok)
    return learn({ ...purchase, receipt: answer.body.receipt ?? purchase.receipt }, answer.body, answer.etag);
  // Who only opened the page must not wait for an answer about an order that they most likely don't have.
  if (purchase.step === 'resuming' && (!purchase.clicked || answer.status === 401))
    return { purchase: afresh(purchase) };
  if (answer.status === 401) return end(purchase, 'signed_out');
  if (answer.code === 'unknown_sale') return end(purchase, 'unknown_sale');
  return again(purchase, 'status', answer);
}

/** Pay and cancel are only asked for here; whether they happened is told by the status, and so is why not. */
function afterOrder(purchase, answer) {
  if (answer.ok) return go(purchase, { tries: 0, notice: '' }, 'status', pollMs(answer.body));
  if (answer.status === 409) return go(purchase, resting(purchase), 'status');
  if (answer.status === 401) return end(purchase, 'signed_out');
  if (isWorthRetrying(purchase, answer)) return again(purchase, purchase.step === 'paying' ? 'pay' : 'cancel', answer);
  return go(purchase, { ...resting(purchase), notice: 'slow', tries: 0 }, 'status');
}

/** Follows what the server says of the order. Who only waits may be told late but for news; who has asked for something may not. */
function learn(purchase, { status, pollAfterMs, payBy, ...rest }, known) {
  const { claimId, unit, amountMinor, currency, position, reason, paymentUrl } = rest;
  const payByMs = payBy ? Date.parse(payBy) : undefined;
  const order = { claimId, unit, amountMinor, currency, payByMs, position, reason, paymentUrl };
  const seen = { ...purchase, order };
  const poll = change => {
    const { purchase: waiting, errand } = go(
      seen,
      { tries: 0, notice: '', ...change },
      'status',
      pollMs({ pollAfterMs }),
    );
    return { purchase: waiting, errand: { ...errand, ...(known && { known }) } };
  };
  const promoted = purchase.promoted || (purchase.lined && status !== 'standby');
  switch (status) {
    case 'standby':
      return settling(purchase) ? linger(purchase, seen) : poll({ step: 'standby', clicked: true, lined: true });
    case 'queued':
      return poll({ step: 'queued', clicked: true, promoted });
    case 'pending_payment':
      if (settling(purchase)) return settle(purchase, seen);
      return poll({ step: 'payable', clicked: true, promoted, notice: noticeOf(purchase, reason) });
    case 'paid':
      return { purchase: { ...seen, step: 'paid', promoted, clicked: true, notice: '' } };
    case 'none':
      return forget(purchase);
    default:
      return over(purchase, seen, status);
  }
}

const settling = ({ step }) => step === 'paying' || step === 'cancelling';

/** A refused payment ends the wait for it, unless it is the refusal of the payment before. */
function settle(purchase, seen) {
  const refused = purchase.step === 'paying' && seen.order.reason;
  const isNews = purchase.order.reason !== seen.order.reason || purchase.tries >= STALE_POLLS;
  // The payment is made elsewhere: there is nothing to wait for here but the visitor.
  if (purchase.step === 'paying' && seen.order.paymentUrl) {
    return go(seen, { step: 'payable', tries: 0, notice: 'elsewhere' }, 'status', POLL_MS);
  }
  if (!refused || !isNews) return linger(purchase, seen);
  return go(seen, { step: 'payable', tries: 0, notice: seen.order.reason }, 'status', POLL_MS);
}

function linger(purchase, seen) {
  const tries = purchase.tries + 1;
  if (tries < POLLS_MAX) return go(seen, { tries }, 'status', POLL_MS);
  return go(seen, { ...resting(seen), tries: 0, notice: 'slow' }, 'status', POLL_MS);
}

const resting = ({ order }) => ({ step: order.position ? 'standby' : 'payable' });

/** A notice stays until it is acted on: the next poll knows nothing of it. */
const STAYING = ['slow', 'elsewhere'];
const noticeOf = (purchase, reason) => reason ?? (STAYING.includes(purchase.notice) ? purchase.notice : '');

function over(purchase, seen, status) {
  const isOld = purchase.seen !== undefined && purchase.seen === seen.order.claimId;
  // Behind a place in the line there may be an order from before; it is not what ended now.
  return isOld ? forget(purchase) : end(seen, status);
}

function forget(purchase) {
  if (purchase.step === 'resuming' && !purchase.receipt) return { purchase: afresh(purchase) };
  return end(purchase, purchase.step === 'cancelling' ? 'left' : 'none');
}

/** Ends that leave open whether there is an order: a reload still asks for it, with the receipt. */
const OPEN_ENDS = ['unavailable', 'signed_out'];

function end(purchase, how) {
  const past = OPEN_ENDS.includes(how) ? {} : { clicked: false, lined: false, receipt: undefined };
  return { purchase: { ...purchase, ...past, step: 'ended', end: how, notice: '' } };
}

const isPassing = ({ status }) => status === 0 || status === 429 || status >= 500;

const isWorthRetrying = (purchase, answer) =>
  isPassing(answer) && purchase.tries + 1 < TRIES_MAX && answer.retryAfterMs <= PATIENCE_MS;

function retry(purchase, call, answer) {
  if (isWorthRetrying(purchase, answer)) return again(purchase, call, answer);
  return end(purchase, answer.code === 'too_soon' ? 'too_soon' : 'unavailable');
}

function again(purchase, call, answer) {
  const notice = answer.code === 'too_soon' ? 'too_soon' : interruption(answer);
  return go(purchase, { tries: purchase.tries + 1, notice }, call, backoffMs(purchase, answer), SPREAD_MS);
}

const interruption = ({ status }) => (status === 0 ? 'offline' : 'busy');

const backoffMs = ({ tries }, { retryAfterMs }) =>
  Math.max(retryAfterMs, Math.min(BACKOFF_MAX_MS, POLL_MS * 2 ** tries));

const pollMs = body => Math.max(POLL_MIN_MS, body?.pollAfterMs ?? POLL_MS);

function go(purchase, change, call, afterMs = 0, spreadMs = 0) {
  return { purchase: { ...purchase, ...change }, errand: { call, afterMs, spreadMs } };
}
