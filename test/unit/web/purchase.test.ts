import { describe, expect, test } from '@jest/globals';
import { next, startPurchase } from '../../../apps/web/scripts/purchase.js';

type Purchase = ReturnType<typeof startPurchase>;
type Event = Parameters<typeof next>[1];
type Call = Extract<Event, { type: 'answer' }>['call'];

const CLAIM = { claimId: '5b8c1f6e-0000-4000-8000-000000000001', unit: 7 };
const PAY_BY = '2030-01-01T00:00:00.000Z';

const says = (call: Call, body: Record<string, unknown> = {}): Event => ({
  type: 'answer',
  call,
  answer: { ok: true, body, ageSeconds: 0 },
});

const refuses = (call: Call, status: number, code = '', retryAfterMs = 0): Event => ({
  type: 'answer',
  call,
  answer: { ok: false, status, code, retryAfterMs },
});

const did = (type: Exclude<Event['type'], 'answer'>): Event => ({ type });

/** Runs events one after the other; each must mean something where it comes. */
function through(...events: Event[]) {
  return from(startPurchase(), ...events);
}

function from(start: Purchase, ...events: Event[]) {
  let following: ReturnType<typeof next> = { purchase: start };
  for (const event of events) {
    if (following) following = next(following.purchase, event);
    if (!following) throw new Error(`${event.type} changed nothing`);
  }
  return following;
}

const queued = says('buy', { status: 'queued', ...CLAIM, receipt: 'proof', pollAfterMs: 400 });
const pending = (extra = {}) =>
  says('status', { status: 'pending_payment', ...CLAIM, amountMinor: 1900, currency: 'EUR', payBy: PAY_BY, ...extra });
const payable = [did('click'), queued, pending()];

describe('buying', () => {
  test('asks for a unit at the click, once', () => {
    const { purchase, errand } = through(did('click'));
    expect(purchase.step).toBe('buying');
    expect(errand).toEqual({ call: 'buy', afterMs: 0, spreadMs: 0 });
    expect(next(purchase, did('click'))).toBeUndefined();
  });

  test('follows the order after the win, as often as the server wants', () => {
    const { purchase, errand } = through(did('click'), queued);
    expect(purchase).toMatchObject({ step: 'queued', receipt: 'proof', order: CLAIM });
    expect(errand).toMatchObject({ call: 'status', afterMs: 400 });
  });

  test('takes up what a repeat of the click finds', () => {
    const { purchase } = through(did('click'), says('buy', { status: 'paid', ...CLAIM }));
    expect(purchase.step).toBe('paid');
  });

  test('gets a guest token once, and buys with it', () => {
    const greeted = through(did('click'), refuses('buy', 401, 'unauthenticated'));
    expect(greeted.errand?.call).toBe('token');
    expect(from(greeted.purchase, says('token')).errand?.call).toBe('buy');
    const unwelcome = from(greeted.purchase, says('token'), refuses('buy', 401, 'unauthenticated'));
    expect(unwelcome.purchase).toMatchObject({ step: 'ended', end: 'sign_in' });
  });

  test('sends to the shop where there are no guests', () => {
    const { purchase } = through(did('click'), refuses('buy', 401), refuses('token', 404, 'not_found'));
    expect(purchase).toMatchObject({ step: 'ended', end: 'sign_in' });
  });

  test.each(['sold_out', 'sale_closed', 'unknown_sale'])('ends with %s', code => {
    const { purchase, errand } = through(did('click'), refuses('buy', 409, code));
    expect(purchase).toMatchObject({ step: 'ended', end: code, clicked: false });
    expect(errand).toBeUndefined();
  });

  test('waits for the opening when it came too early', () => {
    const { purchase, errand } = through(did('click'), refuses('buy', 403, 'not_open'));
    expect(purchase).toMatchObject({ step: 'idle', notice: 'not_open', clicked: false });
    expect(errand).toBeUndefined();
  });
});

describe('waiting', () => {
  const tagged = (body: Record<string, unknown>, etag = 'W/"1"'): Event => ({
    type: 'answer',
    call: 'status',
    answer: { ok: true, body, ageSeconds: 0, etag },
  });

  test('leaves it to the server to tell of news, once it knows what is known', () => {
    const first = through(did('click'), queued);
    expect(first.errand).toEqual({ call: 'status', afterMs: 400, spreadMs: 0 });
    const waiting = from(first.purchase, tagged({ status: 'queued', ...CLAIM, pollAfterMs: 300 }));
    expect(waiting.errand).toEqual({ call: 'status', afterMs: 300, spreadMs: 0, known: 'W/"1"' });
    const inLine = through(did('click'), tagged({ status: 'standby', position: 3 }, 'W/"2"'));
    expect(inLine.errand?.known).toBe('W/"2"');
  });

  test('is polling for as long as the server names nothing, and again after an error', () => {
    const waiting = through(did('click'), queued, tagged({ status: 'queued', ...CLAIM }));
    expect(from(waiting.purchase, says('status', { status: 'queued', ...CLAIM })).errand?.known).toBeUndefined();
    const broken = from(waiting.purchase, refuses('status', 0, 'offline'));
    expect(broken.errand).toMatchObject({ call: 'status', afterMs: 1_000 });
    expect(broken.errand?.known).toBeUndefined();
  });

  test('is not for who has asked for something: that is looked after every second', () => {
    const unpaid = tagged({ status: 'pending_payment', ...CLAIM, amountMinor: 1900, currency: 'EUR', payBy: PAY_BY });
    expect(through(did('click'), queued, unpaid).errand?.known).toBeDefined();
    const paying = through(did('click'), queued, unpaid, did('pay'), says('pay'), unpaid);
    expect(paying.errand).toEqual({ call: 'status', afterMs: 1_000, spreadMs: 0 });
  });
});

describe('a busy server', () => {
  test('is asked again after the time it gave, not by everybody at once', () => {
    const { purchase, errand } = through(did('click'), refuses('buy', 503, 'unavailable', 3_000));
    expect(purchase).toMatchObject({ step: 'buying', notice: 'busy' });
    expect(errand?.call).toBe('buy');
    expect(errand?.afterMs).toBe(3_000);
    expect(errand?.spreadMs).toBeGreaterThan(0);
  });

  test('is not asked for ever, and what happened is left open', () => {
    const refusals = Array.from({ length: 6 }, () => refuses('buy', 0, 'offline'));
    const { purchase, errand } = through(did('click'), ...refusals);
    expect(purchase).toMatchObject({ step: 'ended', end: 'unavailable', clicked: true });
    expect(errand).toBeUndefined();
  });

  test('that wants a long pause gets it from the visitor', () => {
    const { purchase } = through(did('click'), refuses('buy', 429, 'too_soon', 3_600_000));
    expect(purchase).toMatchObject({ step: 'ended', end: 'too_soon' });
  });

  test('is polled for as long as it takes, at most every 5 s unless it asks for more', () => {
    const errors = Array.from({ length: 40 }, () => refuses('status', 503, 'unavailable'));
    const { purchase, errand } = through(did('click'), queued, ...errors);
    expect(purchase).toMatchObject({ step: 'queued', notice: 'busy', receipt: 'proof' });
    expect(errand).toMatchObject({ call: 'status', afterMs: 5_000 });
    expect(from(purchase, refuses('status', 429, 'too_many_requests', 9_000)).errand?.afterMs).toBe(9_000);
    expect(from(purchase, says('status', { status: 'queued', ...CLAIM })).purchase.notice).toBe('');
  });
});

describe('paying', () => {
  test('shows what is to be paid until when', () => {
    const { purchase } = through(...payable);
    expect(purchase.step).toBe('payable');
    expect(purchase.order).toMatchObject({ unit: 7, amountMinor: 1900, currency: 'EUR', payByMs: Date.parse(PAY_BY) });
  });

  test('is believed when the status says so, not before', () => {
    const asked = through(...payable, did('pay'));
    expect(asked.errand?.call).toBe('pay');
    expect(next(asked.purchase, did('pay'))).toBeUndefined();
    const polling = from(asked.purchase, says('pay', { status: 'pending_payment' }), pending());
    expect(polling.purchase.step).toBe('paying');
    expect(polling.errand?.call).toBe('status');
    const paid = from(polling.purchase, says('status', { status: 'paid', ...CLAIM }));
    expect(paid.purchase.step).toBe('paid');
    expect(paid.errand).toBeUndefined();
  });

  test('can be tried again without enough money, and the old refusal is not taken for the new one', () => {
    const poor = pending({ reason: 'insufficient_funds' });
    const refused = through(...payable, did('pay'), says('pay'), poor);
    expect(refused.purchase).toMatchObject({ step: 'payable', notice: 'insufficient_funds' });
    const second = from(refused.purchase, poor, did('pay'), says('pay'), poor);
    expect(second.purchase.step).toBe('paying');
    expect(from(second.purchase, poor, poor, poor).purchase.step).toBe('payable');
  });

  test('at a provider sends the visitor there, and waits for what the status says', () => {
    const elsewhere = pending({ paymentUrl: 'https://pay.example/1' });
    const asked = through(...payable, did('pay'), says('pay'), elsewhere);
    expect(asked.purchase).toMatchObject({ step: 'payable', notice: 'elsewhere' });
    expect(asked.purchase.order.paymentUrl).toBe('https://pay.example/1');
    const later = from(asked.purchase, elsewhere);
    expect(later.purchase.notice).toBe('elsewhere');
    expect(from(later.purchase, says('status', { status: 'paid', ...CLAIM })).purchase.step).toBe('paid');
  });

  test('does not wait for ever on a payment that nobody answers', () => {
    const polls = Array.from({ length: 15 }, () => pending());
    const { purchase, errand } = through(...payable, did('pay'), says('pay'), ...polls);
    expect(purchase).toMatchObject({ step: 'payable', notice: 'slow' });
    expect(errand?.call).toBe('status');
  });

  test('never ends a purchase because the server is busy', () => {
    const refusals = Array.from({ length: 6 }, () => refuses('pay', 503, 'unavailable'));
    const { purchase, errand } = through(...payable, did('pay'), ...refusals);
    expect(purchase).toMatchObject({ step: 'payable', notice: 'slow' });
    expect(errand?.call).toBe('status');
  });

  test('asks for the truth when there is nothing to pay', () => {
    const { errand } = through(...payable, did('pay'), refuses('pay', 409, 'not_payable'));
    expect(errand).toMatchObject({ call: 'status', afterMs: 0 });
  });
});

describe('ending', () => {
  const unpaid = says('status', { status: 'cancelled', ...CLAIM, reason: 'unpaid' });

  test('an order that was not paid can be followed by another try', () => {
    const { purchase } = through(...payable, unpaid);
    expect(purchase).toMatchObject({ step: 'ended', end: 'cancelled', order: { reason: 'unpaid' }, clicked: false });
    const again = from(purchase, did('restart'));
    expect(again.errand?.call).toBe('buy');
    expect(again.purchase).toMatchObject({ step: 'buying', order: {} });
    expect(again.purchase.receipt).toBeUndefined();
  });

  test('what was read is not told again after a reload', () => {
    const { seen } = through(...payable, unpaid, did('close')).purchase;
    const { purchase } = from(startPurchase(seen === undefined ? {} : { seen }), did('load'), unpaid);
    expect(purchase.step).toBe('idle');
  });

  test('giving up ends with the order cancelled', () => {
    const asked = through(...payable, did('giveUp'));
    expect(asked.errand?.call).toBe('cancel');
    const cancelled = says('status', { status: 'cancelled', ...CLAIM, reason: 'cancelled_by_buyer' });
    const { purchase } = from(asked.purchase, says('cancel'), pending(), cancelled);
    expect(purchase).toMatchObject({ step: 'ended', end: 'cancelled' });
  });

  test('a lost claim is not passed over in silence', () => {
    expect(through(did('click'), queued, says('status', { status: 'none' })).purchase.end).toBe('none');
  });
});

describe('the line', () => {
  const inLine = says('buy', { status: 'standby', position: 12, pollAfterMs: 2_500 });

  test('tells the place, and that a unit came free', () => {
    const waiting = through(did('click'), inLine);
    expect(waiting.purchase).toMatchObject({ step: 'standby', order: { position: 12 } });
    expect(waiting.errand).toMatchObject({ call: 'status', afterMs: 2_500 });
    expect(from(waiting.purchase, pending()).purchase).toMatchObject({ step: 'payable', promoted: true });
  });

  test('can be left', () => {
    const { purchase } = through(
      did('click'),
      inLine,
      did('giveUp'),
      says('cancel'),
      says('status', { status: 'none' }),
    );
    expect(purchase).toMatchObject({ step: 'ended', end: 'left' });
  });

  test('ends with the sale', () => {
    const { purchase } = through(did('click'), inLine, says('status', { status: 'closed' }));
    expect(purchase).toMatchObject({ step: 'ended', end: 'closed' });
  });
});

describe('a reload', () => {
  test('asks where the order stands', () => {
    const { purchase, errand } = from(startPurchase({ clicked: true, receipt: 'proof' }), did('load'));
    expect(purchase).toMatchObject({ step: 'resuming', receipt: 'proof' });
    expect(errand?.call).toBe('status');
    expect(from(purchase, pending()).purchase.step).toBe('payable');
  });

  test('that comes in the middle of the click leaves the visitor free to click again', () => {
    const { purchase } = from(startPurchase({ clicked: true }), did('load'), says('status', { status: 'none' }));
    expect(purchase).toMatchObject({ step: 'idle', clicked: false });
  });

  test.each([401, 503])('never keeps a visitor without an order from buying (%i)', status => {
    expect(through(did('load'), refuses('status', status)).purchase.step).toBe('idle');
  });

  test('keeps asking for the order of a visitor who clicked', () => {
    const { purchase, errand } = from(startPurchase({ clicked: true }), did('load'), refuses('status', 503));
    expect(purchase.step).toBe('resuming');
    expect(errand?.call).toBe('status');
  });

  test('that finds the visitor signed out in the middle comes back to the order', () => {
    const { purchase } = through(did('click'), queued, refuses('status', 401));
    expect(purchase).toMatchObject({ step: 'ended', end: 'signed_out', receipt: 'proof' });
    expect(from(purchase, did('restart')).errand?.call).toBe('status');
  });
});
