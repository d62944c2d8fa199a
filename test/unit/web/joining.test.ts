import { describe, expect, test } from '@jest/globals';
import { CLAIM, did, from, PAY_BY, refuses, says, through } from './purchase-events.js';

const pending = says('status', {
  status: 'pending_payment',
  ...CLAIM,
  amountMinor: 1900,
  currency: 'EUR',
  payBy: PAY_BY,
});

describe('joining before the opening', () => {
  const joined = says('buy', { status: 'joined', entry: 5, receipt: 'entry.5.x', pollAfterMs: 300_000 });
  const drawing = says('status', { status: 'drawing', entry: 5, pollAfterMs: 1_500 }, { etag: 'W/"1"' });

  test('keeps the entry and its receipt, and asks as seldom as the API wants', () => {
    const { purchase, request } = through(did('click'), joined);
    expect(purchase).toMatchObject({ step: 'joined', clicked: true, receipt: 'entry.5.x', order: { entry: 5 } });
    expect(request).toEqual({ call: 'status', afterMs: 300_000, spreadMs: 0 });
  });

  test('leads to the order, and then to a position or a unit', () => {
    const waiting = through(did('click'), joined, drawing);
    expect(waiting.purchase).toMatchObject({ step: 'drawing', order: { entry: 5 } });
    // Nobody waits at the API: a whole crowd would.
    expect(waiting.request).toEqual({ call: 'status', afterMs: 1_500, spreadMs: 0 });
    const onStandby = from(waiting.purchase, says('status', { status: 'standby', position: 3, entry: 5 }));
    expect(onStandby.purchase).toMatchObject({ step: 'standby', order: { position: 3, entry: 5 } });
    expect(from(waiting.purchase, pending).purchase.step).toBe('payable');
  });

  test.each([
    ['joined', [joined]],
    ['drawing', [joined, drawing]],
  ] as const)('can be left while %s', (step, events) => {
    const leaving = through(did('click'), ...events, did('giveUp'));
    expect(leaving.request?.call).toBe('cancel');
    expect(from(leaving.purchase, refuses('cancel', 409, 'not_cancellable')).purchase.step).toBe(step);
    const { purchase } = from(leaving.purchase, says('cancel'), says('status', { status: 'none' }));
    expect(purchase).toMatchObject({ step: 'ended', end: 'left' });
  });

  test('drops a receipt of somebody else, and asks again without it', () => {
    const { purchase, request } = through(did('click'), joined, refuses('status', 400, 'bad_receipt'));
    expect([purchase.receipt, request?.call, request?.afterMs]).toEqual([undefined, 'status', 0]);
  });
});
