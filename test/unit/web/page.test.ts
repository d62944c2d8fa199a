import { describe, expect, test } from '@jest/globals';
import { cardOf } from '../../../apps/web/scripts/card.js';
import { clockOffset, formatSpan, spanOf } from '../../../apps/web/scripts/clock.js';
import { contentOf } from '../../../apps/web/scripts/dialog.js';
import { startPurchase } from '../../../apps/web/scripts/purchase.js';
import { formatPrice, phaseOf, readSale, saleIdOf } from '../../../apps/web/scripts/sale.js';

describe('the address', () => {
  test.each([
    ['/s/drop-1', '', 'drop-1'],
    ['/s/drop-1/', '', 'drop-1'],
    ['/', '?sale=drop_2', 'drop_2'],
    ['/', '', undefined],
    ['/s/..%2Fadmin', '', undefined],
    ['/', '?sale=%3Cb%3E', undefined],
  ])('%s%s names %s', (pathname, search, saleId) => {
    expect(saleIdOf({ pathname, search })).toBe(saleId);
  });
});

describe('the clock', () => {
  test("is corrected by the time in transit and in caches, whatever the visitor's clock says", () => {
    const asked = { askedAtMs: 50_000, answeredAtMs: 50_200 };
    expect(clockOffset({ serverTimeMs: 1_000_000, ageSeconds: 2, ...asked })).toBe(951_900);
  });

  test('shows the last second until it has passed', () => {
    expect(spanOf(1).seconds).toBe(1);
    expect(spanOf(-5)).toEqual({ days: 0, hours: 0, minutes: 0, seconds: 0 });
    expect(spanOf(93_784_000)).toEqual({ days: 1, hours: 2, minutes: 3, seconds: 4 });
    expect(formatSpan(3_605_000)).toBe('60:05');
  });
});

describe('the sale', () => {
  const sale = readSale({
    title: 'Kettle',
    priceMinor: 1900,
    currency: 'EUR',
    units: 2,
    remaining: 1,
    state: 'upcoming',
    opensAt: '2030-01-01T00:00:00Z',
    closesAt: '2030-01-02T00:00:00Z',
  });

  test('opens and closes by the clock alone', () => {
    expect(phaseOf(sale, sale.opensAtMs - 1)).toBe('upcoming');
    expect(phaseOf(sale, sale.opensAtMs)).toBe('open');
    expect(phaseOf(sale, sale.closesAtMs)).toBe('closed');
  });

  test('lets visitors join, and makes the order after the opening, until the API says that it is made', () => {
    const joinsAt = '2029-12-31T00:00:00Z';
    const draw = readSale({ ...sale, opensAt: '2030-01-01T00:00:00Z', closesAt: '2030-01-02T00:00:00Z', joinsAt });
    expect(phaseOf(draw, Date.parse(joinsAt) - 1)).toBe('upcoming');
    expect(phaseOf(draw, Date.parse(joinsAt))).toBe('joining');
    expect(phaseOf({ ...draw, state: 'joining' }, draw.opensAtMs)).toBe('drawing');
    expect(phaseOf({ ...draw, state: 'open' }, draw.opensAtMs)).toBe('open');
    expect(phaseOf({ ...draw, state: 'sold_out', remaining: 0 }, draw.opensAtMs)).toBe('sold_out');
    expect(phaseOf({ ...draw, state: 'paused' }, Date.parse(joinsAt))).toBe('paused');
  });

  test('can be sold out, paused or closed early', () => {
    expect(phaseOf({ ...sale, remaining: 0 }, sale.opensAtMs)).toBe('sold_out');
    expect(phaseOf({ ...sale, state: 'paused' }, sale.opensAtMs)).toBe('paused');
    expect(phaseOf({ ...sale, state: 'closed' }, sale.opensAtMs)).toBe('closed');
  });

  test('has a price with as many decimals as the API says', () => {
    const price = (currency: string, currencyDigits?: number) =>
      formatPrice({ amountMinor: 1990, currency, ...(currencyDigits !== undefined && { currencyDigits }) }, 'en');
    expect(price('EUR', 2)).toBe('€19.90');
    expect(price('JPY', 0)).toBe('¥1,990');
    expect(price('KWD', 3)).toContain('1.990');
    // Browsers show forints without decimals, but a forint has 100 fillér.
    expect(price('HUF', 2)).toContain('19.90');
    expect(price('EUR')).toBe('');
  });
});

describe('the dialog', () => {
  const ended = (end: string, reason?: string) =>
    contentOf({ ...startPurchase(), step: 'ended', end, order: reason ? { reason } : {} }, 0);

  test('shows why an order ended', () => {
    expect(ended('cancelled', 'unpaid')?.heading).toBe('The time to pay is over');
    expect(ended('rejected', 'not_placed')?.heading).toBe('That did not work out');
    expect(ended('signed_out', 'insufficient_funds')?.heading).toBe('You are signed out');
  });

  test('offers another try where one may help', () => {
    const offers = (end: string) => ended(end)?.actions.map(action => action.event);
    expect(offers('sold_out')).toEqual(['restart', 'close']);
    expect(offers('sale_closed')).toEqual(['close']);
  });

  test('takes no payment after the time to pay', () => {
    const order = { unit: 7, payByMs: 5_000 };
    const at = (nowMs: number) => contentOf({ ...startPurchase(), step: 'payable', order }, nowMs)?.actions[0];
    expect(at(4_999)?.disabled).toBe(false);
    expect(at(5_000)?.disabled).toBe(true);
  });
});

test.each([
  [{}, '100 of 250 left, one per person'],
  [{ remainingIsRough: true }, 'At most 100 of 250 left, one per person'],
])('the page says of a sale with %p: %s', (rough, note) => {
  const times = { opensAt: '2026-11-27T18:00:00.000Z', closesAt: '2026-11-27T20:00:00.000Z' };
  const body = { title: 'Kettle', priceMinor: 1, currency: 'EUR', units: 250, remaining: 100, state: 'open' };
  const sale = readSale({ ...body, ...times, ...rough });
  const nowMs = Date.parse('2026-11-27T18:30:00.000Z');
  expect(cardOf({ sale, nowMs, purchase: startPurchase() }).note).toBe(note);
});
