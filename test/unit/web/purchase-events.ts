import { next, startPurchase } from '../../../apps/web/scripts/purchase.js';

// The events of a purchase on the page, for its tests.

type Purchase = ReturnType<typeof startPurchase>;
type Event = Parameters<typeof next>[1];
type Call = Extract<Event, { type: 'answer' }>['call'];

export const CLAIM = { claimId: '5b8c1f6e-0000-4000-8000-000000000001', unit: 7 };
export const PAY_BY = '2030-01-01T00:00:00.000Z';

export const says = (
  call: Call,
  body: Record<string, unknown> = {},
  more: { etag?: string; waits?: false } = {},
): Event => ({
  type: 'answer',
  call,
  answer: { ok: true, body, ageSeconds: 0, waits: true, ...more },
});

export const refuses = (call: Call, status: number, code = '', retryAfterMs = 0): Event => ({
  type: 'answer',
  call,
  answer: { ok: false, status, code, retryAfterMs },
});

export const did = (type: Exclude<Event['type'], 'answer'>): Event => ({ type });

/** Applies events one after the other. Each must change the purchase. */
export function through(...events: Event[]) {
  return from(startPurchase(), ...events);
}

export function from(start: Purchase, ...events: Event[]) {
  let following: ReturnType<typeof next> = { purchase: start };
  for (const event of events) {
    if (following) following = next(following.purchase, event);
    if (!following) throw new Error(`${event.type} changed nothing`);
  }
  return following;
}
