import { describe, expect, test } from '@jest/globals';
import { contentOf } from '../../../apps/web/scripts/dialog.js';
import { startPurchase } from '../../../apps/web/scripts/purchase.js';
import { texts } from '../../../apps/web/scripts/texts.js';

type Purchase = ReturnType<typeof startPurchase>;

const PRICE = { amountMinor: 1990, currency: 'EUR', currencyDigits: 2 };
const ORDER = { claimId: 'claim-1', unit: 7, refundedMinor: 0, ...PRICE };
const UNIT = [texts.facts.unit, '7'];

const contentAt = (step: Purchase['step'], facts: Partial<Purchase> = {}, nowMs = 0) =>
  contentOf({ ...startPurchase(), step, ...facts }, nowMs);

const waiting = ({ heading, message }: { heading: string; message: string }) => ({
  mood: 'waiting',
  heading,
  message,
  facts: [],
  actions: [],
});

describe('while the visitor waits, the dialog', () => {
  test('stays closed before the first click, and while the click is on its way', () => {
    expect(contentAt('idle')).toBeUndefined();
    expect(contentAt('buying')).toBeUndefined();
  });

  test('opens after a reload if the visitor has clicked before', () => {
    expect(contentAt('resuming', { clicked: false })).toBeUndefined();
    expect(contentAt('resuming', { clicked: true })).toEqual(waiting(texts.resuming));
  });

  test('tells a unit that was won at once from one that came free', () => {
    expect(contentAt('queued', { promoted: false })).toEqual(waiting(texts.queued));
    expect(contentAt('queued', { promoted: true })).toEqual(waiting(texts.promoted));
  });

  test('has the position on standby, and the way out', () => {
    expect(contentAt('standby', { order: { position: 3 } })).toEqual({
      ...waiting({ heading: texts.standby.heading(3), message: texts.standby.message }),
      actions: [{ label: texts.standby.leave, event: 'giveUp' }],
    });
  });

  test('has the number of an entry, the time until the opening, and the way out', () => {
    const leave = [{ label: texts.standby.leave, event: 'giveUp' }];
    const purchase = { ...startPurchase(), step: 'joined' as const, order: { entry: 12 } };
    const number = [texts.facts.entry, '12'];
    expect(contentOf(purchase, 5_000, { opensAtMs: 70_000 })).toEqual({
      ...waiting(texts.joined),
      facts: [number, [texts.facts.opensIn, '1:05']],
      actions: leave,
    });
    const drawing = { ...waiting(texts.drawing), facts: [number], actions: leave };
    expect(contentOf(purchase, 70_000, { opensAtMs: 70_000 })).toEqual(drawing);
    expect(contentAt('drawing', { order: { entry: 12 } })).toEqual(drawing);
    const message = texts.drawing.waits('the lottery');
    expect(contentOf({ ...purchase, step: 'drawing' }, 0, { source: 'the lottery' })).toEqual({ ...drawing, message });
  });

  test('has what is being paid', () => {
    expect(contentAt('paying', { order: ORDER })).toEqual({
      ...waiting(texts.paying),
      facts: [UNIT, [texts.facts.amount, '€19.90']],
    });
  });

  test('has no fact that the order does not have', () => {
    expect(contentAt('paying', { order: {} })?.facts).toEqual([]);
    expect(contentAt('paying', { order: { unit: 7, currencyDigits: 2 } })?.facts).toEqual([UNIT]);
  });

  test('has nothing to do while the unit is given up', () => {
    expect(contentAt('cancelling')).toEqual(waiting(texts.cancelling));
  });
});

describe('while the order is to be paid, the dialog', () => {
  test('has the price, the time left, and buttons to pay and to give up', () => {
    expect(contentAt('payable', { order: { ...ORDER, payByMs: 65_000 } })).toEqual({
      mood: 'yours',
      heading: texts.payable.heading(7),
      message: texts.payable.message,
      facts: [
        [texts.facts.amount, '€19.90'],
        [texts.facts.timeLeft, '1:05'],
      ],
      actions: [
        { label: texts.payable.pay, event: 'pay', disabled: false },
        { label: texts.payable.giveUp, event: 'giveUp', disabled: false },
      ],
    });
  });

  test('has no time without a time to pay', () => {
    expect(contentAt('payable', { order: ORDER })?.facts).toEqual([[texts.facts.amount, '€19.90']]);
  });

  test('has other words for a unit that came free, and for a time that is over', () => {
    const order = { ...ORDER, payByMs: 1_000 };
    expect(contentAt('payable', { order, promoted: true })?.message).toBe(texts.payable.promoted);
    expect(contentAt('payable', { order, promoted: true }, 1_000)?.message).toBe(texts.payable.late);
  });

  test.each(['https://pay.example/1', 'http://pay.example/1'])(
    'leads to the page of the provider at %s',
    paymentUrl => {
      const [pay] = contentAt('payable', { order: { ...ORDER, paymentUrl } })?.actions ?? [];
      expect(pay).toEqual({ label: texts.payable.payElsewhere, href: paymentUrl, disabled: false });
    },
  );

  test('never leads to an address that is no web page', () => {
    const [pay] =
      contentAt('payable', { order: { ...ORDER, paymentUrl: 'script:https://pay.example' } })?.actions ?? [];
    expect(pay).toEqual({ label: texts.payable.pay, event: 'pay', disabled: false });
  });
});

describe('at the end, the dialog', () => {
  test('has what was paid, and only closes', () => {
    expect(contentAt('paid', { order: ORDER })).toEqual({
      mood: 'done',
      ...texts.paid,
      facts: [UNIT, [texts.facts.paid, '€19.90'], [texts.facts.order, 'claim-1']],
      actions: [{ label: texts.close }],
    });
  });

  test('has the part that went back', () => {
    const facts = contentAt('paid', { order: { ...ORDER, refundedMinor: 500 } })?.facts;
    expect(facts).toContainEqual([texts.facts.refunded, '€5.00']);
    expect(facts).toContainEqual([texts.facts.paid, '€19.90']);
  });

  test('has no facts', () => {
    expect(contentAt('ended', { end: 'sold_out' })).toEqual({
      mood: 'over',
      ...texts.ends.sold_out,
      facts: [],
      actions: [
        { label: texts.tryAgain, event: 'restart' },
        { label: texts.close, event: 'close' },
      ],
    });
  });

  test('offers another try to a household that has its units: one may come back', () => {
    expect(contentAt('ended', { end: 'group_limit' })).toMatchObject({
      ...texts.ends.group_limit,
      actions: [{ event: 'restart' }, { event: 'close' }],
    });
  });

  test.each(['sale_closed', 'closed', 'unknown_sale', 'unpaid_limit'])('offers no other try after %s', end => {
    expect(contentAt('ended', { end })?.actions).toEqual([{ label: texts.close, event: 'close' }]);
  });

  test.each([
    ['cancelled', 'unpaid', texts.ends.unpaid],
    ['rejected', 'lost', texts.ends.lost],
    ['refunded', 'refunded_late_payment', texts.ends.refunded_late_payment],
    ['refunded', 'refunded_by_shop', texts.ends.refunded],
    ['sold_out', 'unpaid', texts.ends.sold_out],
  ])('explains %s with the reason %s', (end, reason, text) => {
    expect(contentAt('ended', { end, order: { reason } })).toMatchObject(text);
  });
});
