import { type Bug, one } from '../bug.js';

const REPORT = 'core/postgres/money/payment-report.ts';
const RULES = 'core/rules/payment-money.ts';

/** Bugs in payments through providers. */
export const PAYMENT_BUGS: Bug[] = [
  {
    bug: 'a repeated event is applied again (F37)',
    edits: [
      {
        file: REPORT,
        find: "WHERE payment_events.outcome = 'ignored'",
        replace: 'WHERE payment_events.outcome IS NOT NULL',
      },
      {
        file: REPORT,
        find: 'isUndecided(payment.status) && (',
        replace: '(',
      },
      {
        file: RULES,
        find: 'const taken: PaymentMoney = isUndecided(status)',
        replace: 'const taken: PaymentMoney = isUndecided(status) || true',
      },
    ],
    caughtBy: { kind: 'integration', file: 'payments/payment-event', title: 'an event pays the order once' },
  },
  one(
    'a forged event is taken (F37)',
    {
      file: 'apps/api/listeners/payment-webhook.ts',
      find: "if (verified.kind === 'forged')",
      replace: "if (verified.kind === 'unreadable')",
    },
    { kind: 'integration', file: 'api/payment-webhook', title: 'forged, changed and old events are refused' },
  ),
  one(
    'the amount in an event is not compared with what was asked for',
    { file: REPORT, find: 'expectedMinor === amountMinor && ', replace: '' },
    { kind: 'integration', file: 'payments/payment-event', title: 'an event with another amount pays nothing' },
  ),
  one(
    'money pays an order whose deadline has passed (F38)',
    { file: 'core/postgres/money/capture.ts', find: '} > clock_timestamp()', replace: '} > to_timestamp(0)' },
    {
      kind: 'integration',
      file: 'payments/payment-event',
      title: 'an overdue order is cancelled before its late money is decided',
    },
  ),
  one(
    'late money neither buys a unit nor goes back (F38)',
    {
      file: 'core/steps/decide-late-money.ts',
      find: "  if (taken.kind !== 'taken') return giveBack(ctx, payment);",
      replace: "  if (taken.kind !== 'taken') return;",
    },
    { kind: 'integration', file: 'payments/payment-event', title: 'late money goes back when the unit is sold' },
  ),
  one(
    'a refund never reaches the provider',
    {
      file: 'core/postgres/money/refund.ts',
      find: "status: 'refund_due' }",
      replace: "status: 'refunded' }",
    },
    {
      kind: 'integration',
      file: 'payments/refund-order',
      title: 'a refund through the provider is retried until it succeeds',
    },
  ),
  {
    bug: 'two payments for one order wait for money at once',
    edits: [
      {
        file: 'prisma/migrations/0004_payment_attempts/migration.sql',
        find: 'CREATE UNIQUE INDEX "payments_one_attempt"',
        replace: 'CREATE INDEX "payments_one_attempt"',
      },
      { file: 'core/postgres/money/payment.ts', find: 'before.undecided = 0', replace: 'before.undecided >= 0' },
    ],
    caughtBy: {
      kind: 'integration',
      file: 'payments/retry-payment',
      title: 'an order has no second payment while one waits for money',
    },
  },
  one(
    'money that came twice for an order is never returned',
    {
      file: 'core/steps/decide-late-money.ts',
      find: 'if (isSurplus || isGoingBack || ',
      replace: 'if (',
    },
    {
      kind: 'integration',
      file: 'payments/retry-payment',
      title: 'money of a failed attempt pays the order',
    },
  ),
  one(
    'an order expires although its buyer asked to pay in time',
    {
      file: 'core/steps/expire-orders.ts',
      find: '    await takeClick(ctx, order);\n',
      replace: '',
    },
    { kind: 'integration', file: 'payments/pay-clicks', title: 'is paid when it would expire, if no job came' },
  ),
  one(
    'nobody looks for the payments of a paused queue',
    {
      file: 'core/maintenance/rescue.ts',
      find: 'if ((await takeClick(ctx, { saleId, ...click })).isNew) taken += 1;',
      replace: 'taken += click.clickedAtMs;',
    },
    {
      kind: 'integration',
      file: 'payments/pay-clicks',
      title: 'is paid by rescue long before the deadline, if no job came',
    },
  ),
  one(
    'a click after the deadline counts as one in time',
    { file: 'core/redis/lua/click-to-pay.lua', find: 'if now < tonumber(claim.pay_by) then', replace: 'if true then' },
    {
      kind: 'integration',
      file: 'payments/pay-clicks',
      title: 'does not count after the deadline by the clock of Redis',
    },
  ),
  one(
    'a decision takes the later click of the same buyer with it',
    {
      file: 'core/redis/lua/drop-pay-click.lua',
      find: "if redis.call('ZSCORE', KEYS[1], ARGV[1]) ~= ARGV[2] then return 0 end\n",
      replace: '',
    },
    {
      kind: 'integration',
      file: 'payments/pay-clicks',
      title: 'stays when it comes while an earlier one is decided',
    },
  ),
  one(
    'an order at a provider is not kept for a click that had to wait',
    {
      file: 'core/postgres/orders/deadline.ts',
      find: 'greatest(0, extract',
      replace: 'least(0, extract',
    },
    {
      kind: 'integration',
      file: 'payments/pay-clicks',
      title: 'the time to pay is as much longer as the click had to wait',
    },
  ),
  one(
    'a part that the provider returned counts as all of the money',
    {
      file: 'core/payments/provider-event.ts',
      find: "state: refundedMinor < amountMinor ? 'paid' : 'refunded', amountMinor, refundedMinor",
      replace: "state: 'refunded', amountMinor",
    },
    {
      kind: 'integration',
      file: 'payments/amounts',
      title: 'a part of owed money that the provider returns leaves the rest owed',
    },
  ),
  one(
    'an older API’s event about a part of the money counts as all of it',
    {
      file: REPORT,
      find: "return state !== 'refunded' || refundedMinor",
      replace: 'return state !== undefined || refundedMinor',
    },
    {
      kind: 'integration',
      file: 'payments/payment-event',
      title: 'an event that does not say how much went back lets the provider tell',
    },
  ),
  one(
    'a refund without an answer is repeated although the provider made it',
    {
      file: 'core/maintenance/finish-payments.ts',
      find: '!asksFirst || (await askFirst(ctx, payment, refund))',
      replace: 'asksFirst || (await askFirst(ctx, payment, refund))',
    },
    {
      kind: 'integration',
      file: 'payments/refund-in-flight',
      title: 'a refund without an answer is repeated only if the provider says',
    },
  ),
  one(
    'a refund beside money in the wallet is sent without a question',
    {
      file: 'core/rules/refund.ts',
      find: 'unanswered !== null || money.compensatedMinor > 0',
      replace: 'unanswered !== null',
    },
    { kind: 'integration', file: 'money/two-mistakes', title: 'of a part that went' },
  ),
  one(
    'a dispute erases the refund in flight',
    {
      file: 'core/postgres/money/due-refunds.ts',
      find: 'const inFlight = next ?? payment.refunding;',
      replace: 'const inFlight = next;',
    },
    {
      kind: 'integration',
      file: 'payments/refund-in-flight',
      title: 'a refund without an answer is not made again after a dispute',
    },
  ),
  one(
    'two reports about a payment are applied at once',
    { file: 'core/postgres/money/payment.ts', find: 'LIMIT 1 FOR UPDATE OF p', replace: 'LIMIT 1' },
    { kind: 'integration', file: 'payments/amounts', title: 'a payment is locked while a report is applied' },
  ),
  one(
    'a payment that an event has paid is opened again by the provider’s answer',
    {
      file: 'core/postgres/money/payment-change.ts',
      find: "money.status === 'requested' ? { ...money, status: 'open' as const } : money",
      replace: "{ ...money, status: 'open' as const }",
    },
    { kind: 'integration', file: 'payments/amounts', title: 'an event that overtakes the provider’s answer' },
  ),
  one(
    'a dispute about somebody else’s payment is booked on ours',
    { file: REPORT, find: 'return isAbout(payment, dispute) ?', replace: 'return payment ?' },
    {
      kind: 'integration',
      file: 'payments/disputes',
      title: 'a dispute that names our order and a payment of somebody else',
    },
  ),
  one(
    'an old event opens a dispute again that has ended',
    { file: 'core/rules/dispute.ts', find: 'Math.max(DISPUTE_STATES', replace: 'Math.min(DISPUTE_STATES' },
    {
      kind: 'integration',
      file: 'payments/disputes',
      title: 'a dispute whose end comes before its beginning stays ended',
    },
  ),
  one(
    'a refused refund goes into the wallet while a dispute withholds the money',
    {
      file: 'core/rules/refund.ts',
      find: 'const isHeld = (report.disputedMinor ?? 0) > 0;',
      replace: 'const isHeld = false;',
    },
    { kind: 'integration', file: 'payments/disputes', title: 'a refund continues when the shop has won the dispute' },
  ),
  one(
    'a late payment waits for a deadline that an operator has moved',
    {
      file: 'core/steps/decide-late-money.ts',
      find: "if (order?.status === 'pending_payment' && (await payOwnOrder(ctx, payment))) return;",
      replace: '',
    },
    { kind: 'integration', file: 'payments/amounts', title: 'late money pays the order when it can be paid after all' },
  ),
];
