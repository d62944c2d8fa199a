import { describe, expect, test } from '@jest/globals';
import { next, startPurchase } from '../../../apps/web/scripts/purchase.js';

type Event = Parameters<typeof next>[1];
type Call = Extract<Event, { type: 'answer' }>['call'];

const says = (call: Call, body: Record<string, unknown> = {}, etag?: string): Event => {
  const answer = { ok: true as const, body, ageSeconds: 0, waits: true, ...(etag === undefined ? {} : { etag }) };
  return { type: 'answer', call, answer };
};

const refuses = (call: Call, status: number, code: string): Event => ({
  type: 'answer',
  call,
  answer: { ok: false, status, code, retryAfterMs: 0 },
});

const click: Event = { type: 'click' };
const giveUp: Event = { type: 'giveUp' };

/** Applies events one after the other. Each must change the purchase. */
function from(start: ReturnType<typeof startPurchase>, ...events: Event[]) {
  let following: ReturnType<typeof next> = { purchase: start };
  for (const event of events) {
    if (following) following = next(following.purchase, event);
    if (!following) throw new Error(`${event.type} changed nothing`);
  }
  return following;
}

const through = (...events: Event[]) => from(startPurchase(), ...events);

describe('joining before the opening', () => {
  const joined = says('buy', { status: 'joined', entry: 5, receipt: 'entry.5.x', pollAfterMs: 300_000 });
  const drawing = says('status', { status: 'drawing', entry: 5, pollAfterMs: 1_500 }, 'W/"1"');

  test('keeps the entry and its receipt, and asks as seldom as the API wants', () => {
    const { purchase, request } = through(click, joined);
    expect(purchase).toMatchObject({ step: 'joined', clicked: true, receipt: 'entry.5.x', order: { entry: 5 } });
    expect(request).toEqual({ call: 'status', afterMs: 300_000, spreadMs: 0 });
  });

  test('leads to the order, and then to a position or a unit', () => {
    const waiting = through(click, joined, drawing);
    expect(waiting.purchase).toMatchObject({ step: 'drawing', order: { entry: 5 } });
    // Nobody waits at the API: a whole crowd would.
    expect(waiting.request).toEqual({ call: 'status', afterMs: 1_500, spreadMs: 0 });
    const onStandby = from(waiting.purchase, says('status', { status: 'standby', position: 3, entry: 5 }));
    expect(onStandby.purchase).toMatchObject({ step: 'standby', order: { position: 3, entry: 5 } });
    expect(from(waiting.purchase, says('status', { status: 'pending_payment', unit: 7 })).purchase.step).toBe(
      'payable',
    );
  });

  test.each([
    ['joined', [joined]],
    ['drawing', [joined, drawing]],
  ] as const)('can be left while %s', (step, events) => {
    const leaving = through(click, ...events, giveUp);
    expect(leaving.request?.call).toBe('cancel');
    expect(from(leaving.purchase, refuses('cancel', 409, 'not_cancellable')).purchase.step).toBe(step);
    const { purchase } = from(leaving.purchase, says('cancel'), says('status', { status: 'none' }));
    expect(purchase).toMatchObject({ step: 'ended', end: 'left' });
  });

  test('drops a receipt of somebody else, and asks again without it', () => {
    const { purchase, request } = through(click, joined, refuses('status', 400, 'bad_receipt'));
    expect([purchase.receipt, request?.call, request?.afterMs]).toEqual([undefined, 'status', 0]);
  });
});
