import { type Bug, INIT, one } from '../bug.js';

const PAYMENT = 'core/postgres/money/payment.ts';
const DUE = 'core/postgres/money/due-refunds.ts';

const TELL_SHOP = 'core/maintenance/tell-shop.ts';

/** Bugs in the locks, conditions and guards of money, and in how amounts are shown. */
export const REFUND_BUGS: Bug[] = [
  one(
    'a part goes back twice, as two operators read the same total',
    {
      file: 'core/postgres/money/refund.ts',
      find: ' FOR UPDATE`',
      replace: '`',
    },
    { kind: 'integration', file: 'money/locks', title: 'two operators who give the same part back' },
  ),
  one(
    'two processes debit a wallet for one order',
    { file: 'core/postgres/money/pay.ts', find: 'FOR UPDATE OF o),', replace: '),' },
    { kind: 'integration', file: 'money/locks', title: 'two processes that pay one order from the wallet' },
  ),
  one(
    'late money reads an order that another process is ending',
    {
      file: 'core/postgres/money/late-money.ts',
      find: ' FOR UPDATE`',
      replace: '`',
    },
    { kind: 'integration', file: 'money/locks', title: 'late money waits for the process that is ending its order' },
  ),
  one(
    'money that has paid an order is decided like late money once more',
    {
      file: 'core/postgres/money/late-money.ts',
      find: " AND p.status = 'late'`",
      replace: '`',
    },
    { kind: 'integration', file: 'money/statements', title: 'only while nobody has decided' },
  ),
  one(
    'two requests to pay at once fail instead of finding the one payment',
    { file: PAYMENT, find: '\n    ON CONFLICT DO NOTHING`', replace: '`' },
    { kind: 'integration', file: 'money/locks', title: 'two processes that record the payment of one order' },
  ),
  one(
    'a second payment begins while the money of the first is undecided',
    { file: PAYMENT, find: 'before.undecided = 0 AND ', replace: '' },
    { kind: 'integration', file: 'money/statements', title: 'is not begun while money of the first is undecided' },
  ),
  one(
    'a provider is asked about a payment again that it has answered',
    { file: PAYMENT, find: ' AND p.ask_at IS NOT NULL`', replace: '`' },
    { kind: 'integration', file: 'money/statements', title: 'refunds and questions that are due are read' },
  ),
  one(
    'a refused refund takes the place of the money in the wallet',
    {
      file: DUE,
      find: 'DO UPDATE SET balance_minor = a.balance_minor + EXCLUDED.balance_minor',
      replace: 'DO UPDATE SET balance_minor = EXCLUDED.balance_minor',
    },
    { kind: 'integration', file: 'money/two-mistakes', title: 'adds to a wallet that has money' },
  ),
  one(
    'a refused refund is paid out although the provider does not know the payment',
    {
      file: 'core/maintenance/finish-payments.ts',
      find: "  if (report?.state === 'paid' || report?.state === 'refunded') return report;",
      replace: "  if (report?.state !== 'open') return report ?? { ...payment, state: 'paid', paymentId: '' };",
    },
    { kind: 'integration', file: 'money/two-mistakes', title: 'of a payment that its provider has lost' },
  ),
  one(
    'an order gives back more than it took',
    {
      file: 'prisma/migrations/0008_transfer_parts/migration.sql',
      find: '"order_id" = NEW."order_id") < 0 THEN',
      replace: '"order_id" = NEW."order_id") < -NEW."amount_minor" THEN',
    },
    { kind: 'integration', file: 'money/tables', title: 'never goes back of it' },
  ),
  one(
    'a wallet may owe money',
    { file: INIT, find: '"balance_minor" BIGINT CHECK ("balance_minor" >= 0)', replace: '"balance_minor" BIGINT' },
    { kind: 'integration', file: 'money/tables', title: 'is there for each guard of the tables' },
  ),
  one(
    'the shop’s refusal of a notice counts as its delivery',
    { file: TELL_SHOP, find: 'return response.ok ?', replace: 'return response.status < 500 ?' },
    { kind: 'integration', file: 'payments/tell-shop', title: 'does not accept a notice, which is sent again' },
  ),
  one(
    'the slowest answer of the shop holds up all other notices',
    { file: TELL_SHOP, find: 'const TELL_BATCH = 160;', replace: 'const TELL_BATCH = TELL_TOGETHER;' },
    { kind: 'integration', file: 'payments/tell-shop', title: 'a slow answer of the shop' },
  ),
  one(
    'a round reads the due notices once',
    { file: TELL_SHOP, find: 'if (told === walk.toldBefore) break;', replace: 'break;' },
    { kind: 'integration', file: 'payments/tell-shop', title: 'a round tells more notices than one batch has' },
  ),
  one(
    'notices that wait for another one are read in vain',
    {
      file: 'core/postgres/deliveries/notices.ts',
      find: 'SET attempt_at = p.attempt_at FROM',
      replace: 'SET attempt_at = e.attempt_at FROM',
    },
    { kind: 'integration', file: 'payments/tell-shop', title: 'a failed notice is retried, and later notices' },
  ),
  one(
    'a shop that refuses is told every two seconds',
    { file: 'core/postgres/deliveries/notices.ts', find: '2 ^ least(attempts + 1, 20)', replace: '2' },
    {
      kind: 'integration',
      file: 'payments/tell-shop',
      title: 'a notice that is not accepted is sent again after 2, 4',
    },
  ),
  one(
    '500 yen are shown as 5.00',
    {
      file: 'core/rules/currencies.ts',
      find: 'return DIGITS.get(currency) ?? DIGITS_OF_OTHERS;',
      replace: 'return DIGITS_OF_OTHERS;',
    },
    { kind: 'integration', file: 'values/shown-amounts', title: 'has its decimals in the console' },
  ),
  one(
    'money that went back is shown in the currency that was asked for',
    {
      file: 'apps/admin/pages/money-page.ts',
      find: 'formatMoney(returnedMinor, takenCurrency)',
      replace: 'formatMoney(returnedMinor, currency)',
    },
    { kind: 'integration', file: 'values/shown-amounts', title: 'has its decimals where a payment is odd' },
  ),
];
