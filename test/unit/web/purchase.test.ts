import { describe, expect, test } from '@jest/globals';
import { next, startPurchase } from '../../../apps/web/scripts/purchase.js';
import { CLAIM, did, from, PAY_BY, refuses, says, through } from './purchase-events.js';

const queued = says('buy', { status: 'queued', ...CLAIM, receipt: 'proof', pollAfterMs: 400 });
const pending = (extra = {}) =>
  says('status', { status: 'pending_payment', ...CLAIM, amountMinor: 1900, currency: 'EUR', payBy: PAY_BY, ...extra });
const payable = [did('click'), queued, pending()];

describe('buying', () => {
  test('asks for a unit once per click', () => {
    const { purchase, request } = through(did('click'));
    expect(purchase.step).toBe('buying');
    expect(request).toEqual({ call: 'buy', afterMs: 0, spreadMs: 0 });
    expect(next(purchase, did('click'))).toBeUndefined();
  });

  test('polls the order after a win, as often as the server wants', () => {
    const { purchase, request } = through(did('click'), queued);
    expect(purchase).toMatchObject({ step: 'queued', receipt: 'proof', order: CLAIM });
    expect(request).toMatchObject({ call: 'status', afterMs: 400 });
  });

  test('shows the order that a repeated click finds', () => {
    const { purchase } = through(did('click'), says('buy', { status: 'paid', ...CLAIM }));
    expect(purchase.step).toBe('paid');
  });

  test('gets a guest token once and buys with it', () => {
    const greeted = through(did('click'), refuses('buy', 401, 'unauthenticated'));
    expect(greeted.request?.call).toBe('token');
    expect(from(greeted.purchase, says('token')).request?.call).toBe('buy');
    const unwelcome = from(greeted.purchase, says('token'), refuses('buy', 401, 'unauthenticated'));
    expect(unwelcome.purchase).toMatchObject({ step: 'ended', end: 'sign_in' });
  });

  test('sends the visitor to the shop where there are no guests', () => {
    const { purchase } = through(did('click'), refuses('buy', 401), refuses('token', 404, 'not_found'));
    expect(purchase).toMatchObject({ step: 'ended', end: 'sign_in' });
  });

  test.each(['sold_out', 'sale_closed', 'unknown_sale'])('ends with %s', code => {
    const { purchase, request } = through(did('click'), refuses('buy', 409, code));
    expect(purchase).toMatchObject({ step: 'ended', end: code, clicked: false });
    expect(request).toBeUndefined();
  });

  test('waits for the opening after a click that came too early', () => {
    const { purchase, request } = through(did('click'), refuses('buy', 403, 'not_open'));
    expect(purchase).toMatchObject({ step: 'idle', notice: 'not_open', clicked: false });
    expect(request).toBeUndefined();
  });
});

describe('waiting', () => {
  const tagged = (body: Record<string, unknown>, etag = 'W/"1"') => says('status', body, { etag });

  test("is the server's part once the page can name its last answer", () => {
    const first = through(did('click'), queued);
    expect(first.request).toEqual({ call: 'status', afterMs: 400, spreadMs: 0 });
    const waiting = from(first.purchase, tagged({ status: 'queued', ...CLAIM, pollAfterMs: 300 }));
    expect(waiting.request).toEqual({ call: 'status', afterMs: 300, spreadMs: 0, known: 'W/"1"' });
    const onStandby = through(did('click'), tagged({ status: 'standby', position: 3 }, 'W/"2"'));
    expect(onStandby.request?.known).toBe('W/"2"');
  });

  test('is polling while answers have no tag, after an error, and while other tabs wait', () => {
    const waiting = through(did('click'), queued, tagged({ status: 'queued', ...CLAIM }));
    expect(from(waiting.purchase, says('status', { status: 'queued', ...CLAIM })).request?.known).toBeUndefined();
    const { request } = from(waiting.purchase, refuses('status', 0, 'offline'));
    expect(request).toMatchObject({ call: 'status', afterMs: 1_000 });
    expect(request?.known).toBeUndefined();
    // Once the API did not wait, the page polls for good, also after a later click.
    const replaced = from(waiting.purchase, says('status', { status: 'standby' }, { etag: 'W/"1"', waits: false }));
    expect(replaced.request).toEqual({ call: 'status', afterMs: 1_000, spreadMs: 0 });
    const later = [tagged({ status: 'closed' }), did('restart'), queued, tagged({ status: 'queued' })];
    expect(from(replaced.purchase, ...later).request).toEqual(replaced.request);
  });

  test('is polling every second after a request to pay', () => {
    const unpaid = tagged({ status: 'pending_payment', ...CLAIM, amountMinor: 1900, currency: 'EUR', payBy: PAY_BY });
    expect(through(did('click'), queued, unpaid).request?.known).toBeDefined();
    const paying = through(did('click'), queued, unpaid, did('pay'), says('pay'), unpaid);
    expect(paying.request).toEqual({ call: 'status', afterMs: 1_000, spreadMs: 0 });
  });
});

describe('a busy server', () => {
  test('is asked again after its pause, at a random moment', () => {
    const { purchase, request } = through(did('click'), refuses('buy', 503, 'unavailable', 3_000));
    expect(purchase).toMatchObject({ step: 'buying', notice: 'busy' });
    expect(request?.call).toBe('buy');
    expect(request?.afterMs).toBe(3_000);
    expect(request?.spreadMs).toBeGreaterThan(0);
  });

  test('is not asked without end, and the order stays possible', () => {
    const refusals = Array.from({ length: 6 }, () => refuses('buy', 0, 'offline'));
    const { purchase, request } = through(did('click'), ...refusals);
    expect(purchase).toMatchObject({ step: 'ended', end: 'unavailable', clicked: true });
    expect(request).toBeUndefined();
  });

  test('that wants a pause of an hour ends the purchase', () => {
    const { purchase } = through(did('click'), refuses('buy', 429, 'too_soon', 3_600_000));
    expect(purchase).toMatchObject({ step: 'ended', end: 'too_soon' });
  });

  test('is polled until it answers, with a back-off of at most 5 s unless it asks for more', () => {
    const errors = Array.from({ length: 40 }, () => refuses('status', 503, 'unavailable'));
    const { purchase, request } = through(did('click'), queued, ...errors);
    expect(purchase).toMatchObject({ step: 'queued', notice: 'busy', receipt: 'proof' });
    expect(request).toMatchObject({ call: 'status', afterMs: 5_000 });
    const limited = from(purchase, refuses('status', 429, 'too_many_requests', 9_000));
    expect(limited.purchase).toMatchObject({ step: 'queued', notice: 'too_many_requests', receipt: 'proof' });
    expect(limited.request?.afterMs).toBe(9_000);
    expect(from(purchase, says('status', { status: 'queued', ...CLAIM })).purchase.notice).toBe('');
  });
});

describe('paying', () => {
  test('shows the amount and the deadline', () => {
    const { purchase } = through(...payable);
    expect(purchase.step).toBe('payable');
    expect(purchase.order).toMatchObject({ unit: 7, amountMinor: 1900, currency: 'EUR', payByMs: Date.parse(PAY_BY) });
  });

  test('is done once the status says so, not before', () => {
    const asked = through(...payable, did('pay'));
    expect(asked.request?.call).toBe('pay');
    expect(next(asked.purchase, did('pay'))).toBeUndefined();
    const polling = from(asked.purchase, says('pay', { status: 'pending_payment' }), pending());
    expect(polling.purchase.step).toBe('paying');
    expect(polling.request?.call).toBe('status');
    const paid = from(polling.purchase, says('status', { status: 'paid', ...CLAIM }));
    expect(paid.purchase.step).toBe('paid');
    expect(paid.request).toBeUndefined();
  });

  test('can be retried after too little money, and the old refusal is not taken for a new one', () => {
    const poor = pending({ reason: 'insufficient_funds' });
    const refused = through(...payable, did('pay'), says('pay'), poor);
    expect(refused.purchase).toMatchObject({ step: 'payable', notice: 'insufficient_funds' });
    const second = from(refused.purchase, poor, did('pay'), says('pay'), poor);
    expect(second.purchase.step).toBe('paying');
    expect(from(second.purchase, poor, poor, poor).purchase.step).toBe('payable');
  });

  test('at a provider sends the visitor there and waits for the status', () => {
    const elsewhere = pending({ paymentUrl: 'https://pay.example/1' });
    const asked = through(...payable, did('pay'), says('pay'), elsewhere);
    expect(asked.purchase).toMatchObject({ step: 'payable', notice: 'elsewhere' });
    expect(asked.purchase.order.paymentUrl).toBe('https://pay.example/1');
    const later = from(asked.purchase, elsewhere);
    expect(later.purchase.notice).toBe('elsewhere');
    expect(from(later.purchase, says('status', { status: 'paid', ...CLAIM })).purchase.step).toBe('paid');
  });

  test('stops waiting for a payment without an outcome after 15 polls', () => {
    const polls = Array.from({ length: 15 }, () => pending());
    const { purchase, request } = through(...payable, did('pay'), says('pay'), ...polls);
    expect(purchase).toMatchObject({ step: 'payable', notice: 'slow' });
    expect(request?.call).toBe('status');
  });

  test('stops waiting for the end of standby after 15 polls, and still stands by', () => {
    const standby = () => says('status', { status: 'standby', position: 3 });
    const waiting = [
      did('click'),
      says('buy', { status: 'standby', position: 3, pollAfterMs: 400 }),
      did('giveUp'),
      says('cancel'),
    ];
    const { purchase } = through(...waiting, ...Array.from({ length: 15 }, standby));
    expect(purchase).toMatchObject({ step: 'standby', notice: 'slow' });
  });

  test('never ends a purchase because the server is busy', () => {
    const refusals = Array.from({ length: 6 }, () => refuses('pay', 503, 'unavailable'));
    const { purchase, request } = through(...payable, did('pay'), ...refusals);
    expect(purchase).toMatchObject({ step: 'payable', notice: 'slow' });
    expect(request?.call).toBe('status');
  });

  test('reads the status when there is nothing to pay', () => {
    const { request } = through(...payable, did('pay'), refuses('pay', 409, 'not_payable'));
    expect(request).toMatchObject({ call: 'status', afterMs: 0 });
  });
});

describe('ending', () => {
  const unpaid = says('status', { status: 'cancelled', ...CLAIM, reason: 'unpaid' });

  test('after an unpaid order the visitor can try again', () => {
    const { purchase } = through(...payable, unpaid);
    expect(purchase).toMatchObject({ step: 'ended', end: 'cancelled', order: { reason: 'unpaid' }, clicked: false });
    const again = from(purchase, did('restart'));
    expect(again.request?.call).toBe('buy');
    expect(again.purchase).toMatchObject({ step: 'buying', order: {} });
    expect(again.purchase.receipt).toBeUndefined();
  });

  test('an end that was read is not shown again after a reload', () => {
    const { seen } = through(...payable, unpaid, did('close')).purchase;
    const { purchase } = from(startPurchase(seen === undefined ? {} : { seen }), did('load'), unpaid);
    expect(purchase.step).toBe('idle');
  });

  test('giving up the unit ends with the order cancelled', () => {
    const asked = through(...payable, did('giveUp'));
    expect(asked.request?.call).toBe('cancel');
    const cancelled = says('status', { status: 'cancelled', ...CLAIM, reason: 'cancelled_by_buyer' });
    const { purchase } = from(asked.purchase, says('cancel'), pending(), cancelled);
    expect(purchase).toMatchObject({ step: 'ended', end: 'cancelled' });
  });

  test('a lost claim is shown as an end', () => {
    expect(through(did('click'), queued, says('status', { status: 'none' })).purchase.end).toBe('none');
  });
});

describe('standby', () => {
  const onStandby = says('buy', { status: 'standby', position: 12, pollAfterMs: 2_500 });

  test('shows the position, and that a unit came free', () => {
    const waiting = through(did('click'), onStandby);
    expect(waiting.purchase).toMatchObject({ step: 'standby', order: { position: 12 } });
    expect(waiting.request).toMatchObject({ call: 'status', afterMs: 2_500 });
    expect(from(waiting.purchase, pending()).purchase).toMatchObject({ step: 'payable', promoted: true });
  });

  test('can be left', () => {
    const { purchase } = through(
      did('click'),
      onStandby,
      did('giveUp'),
      says('cancel'),
      says('status', { status: 'none' }),
    );
    expect(purchase).toMatchObject({ step: 'ended', end: 'left' });
  });

  test('ends with the sale', () => {
    const { purchase } = through(did('click'), onStandby, says('status', { status: 'closed' }));
    expect(purchase).toMatchObject({ step: 'ended', end: 'closed' });
  });
});

describe('a reload', () => {
  test('asks for the status of the order', () => {
    const { purchase, request } = from(startPurchase({ clicked: true, receipt: 'proof' }), did('load'));
    expect(purchase).toMatchObject({ step: 'resuming', receipt: 'proof' });
    expect(request?.call).toBe('status');
    expect(from(purchase, pending()).purchase.step).toBe('payable');
  });

  test('during a click leaves the visitor free to click again', () => {
    const { purchase } = from(startPurchase({ clicked: true }), did('load'), says('status', { status: 'none' }));
    expect(purchase).toMatchObject({ step: 'idle', clicked: false });
  });

  test.each([401, 503])('never keeps a visitor without an order from buying (%i)', status => {
    expect(through(did('load'), refuses('status', status)).purchase.step).toBe('idle');
  });

  test('in a new tab shows what the receipt stands for', () => {
    const { purchase, request } = from(startPurchase({ receipt: 'proof' }), did('load'));
    expect([request?.call, purchase.receipt]).toEqual(['status', 'proof']);
    expect(from(purchase, pending()).purchase.step).toBe('payable');
    // It may have been lost, and only the receipt brings it back.
    expect(from(purchase, refuses('status', 503))).toMatchObject({ purchase: { step: 'resuming', receipt: 'proof' } });
  });

  test('in a new tab of somebody else drops the receipt, and says nothing of it', () => {
    const { purchase } = from(startPurchase({ receipt: 'proof' }), did('load'), says('status', { status: 'none' }));
    expect([purchase.step, purchase.clicked, purchase.receipt]).toEqual(['idle', false, undefined]);
  });

  test('of a visitor who is signed out keeps the receipt for later', () => {
    const { purchase } = from(startPurchase({ receipt: 'proof' }), did('load'), refuses('status', 401));
    expect(purchase).toMatchObject({ step: 'idle', clicked: false, receipt: 'proof' });
  });

  test('needs no receipt of an order that is paid', () => {
    const { purchase } = through(did('click'), queued, says('status', { status: 'paid', ...CLAIM }));
    expect(purchase).toMatchObject({ step: 'paid', receipt: undefined });
  });

  test('keeps asking for the order of a visitor who clicked', () => {
    const { purchase, request } = from(startPurchase({ clicked: true }), did('load'), refuses('status', 503));
    expect(purchase.step).toBe('resuming');
    expect(request?.call).toBe('status');
  });

  test('of a visitor who was signed out in between comes back to the order', () => {
    const { purchase } = through(did('click'), queued, refuses('status', 401));
    expect(purchase).toMatchObject({ step: 'ended', end: 'signed_out', receipt: 'proof' });
    expect(from(purchase, did('restart')).request?.call).toBe('status');
  });
});
