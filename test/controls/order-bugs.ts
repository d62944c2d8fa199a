import { type Bug, INIT, one } from './bug.js';

/** Bugs in placing, paying, cancelling and expiring orders. */
export const ORDER_BUGS: Bug[] = [
  one(
    'a conflict counts as placed (P2002 swallowed)',
    {
      file: 'core/postgres/orders/insert-orders.ts',
      find: '  return { placed, known, conflicting: without(missing, known) };',
      replace: '  return { placed, known, conflicting: [] };',
    },
    { kind: 'integration', file: 'jobs/place-orders', title: 'a claim of a unit with another live order is lost' },
  ),
  one(
    'no unique index on (sale, unit)',
    { file: INIT, find: 'CREATE UNIQUE INDEX "orders_live_unit"', replace: 'CREATE INDEX "orders_live_unit"' },
    { kind: 'integration', file: 'jobs/place-orders', title: 'a claim of a unit with another live order is lost' },
  ),
  one(
    'no unique index on (sale, buyer)',
    { file: INIT, find: 'CREATE UNIQUE INDEX "orders_live_buyer"', replace: 'CREATE INDEX "orders_live_buyer"' },
    { kind: 'integration', file: 'jobs/place-orders', title: 'a buyer with a live order loses the second claim' },
  ),
  one(
    'cancel without a status guard',
    {
      file: 'core/postgres/orders/end-orders.ts',
      find: "{claim.buyerId} AND status = 'pending_payment'",
      replace: '{claim.buyerId}',
    },
    { kind: 'integration', file: 'jobs/cancel-order', title: 'a paid order stays paid' },
  ),
  one(
    'cancel without asking whose order it is',
    {
      file: 'core/postgres/orders/end-orders.ts',
      find: 'AND buyer_id = $',
      replace: "AND '' <> $",
    },
    { kind: 'integration', file: 'jobs/cancel-order', title: 'a buyer cannot cancel the order of another buyer' },
  ),
  one(
    'expiry trusts the queue instead of the deadline',
    {
      file: 'core/postgres/orders/deadline.ts',
      find: ' AND o.pay_by <= clock_timestamp()',
      replace: '',
    },
    {
      kind: 'integration',
      file: 'jobs/expire-orders',
      title: 'an order is kept until it is due by the clock of Postgres',
    },
  ),
  one(
    'pay without a deadline guard',
    { file: 'core/postgres/money/pay.ts', find: '(o.pay_by > clock_timestamp() OR ', replace: '(true OR ' },
    {
      kind: 'integration',
      file: 'jobs/pay-order',
      title: 'a payment after the deadline takes no money, and the order expires',
    },
  ),
  one(
    'the wallet is debited without looking at its balance',
    { file: 'core/postgres/money/pay.ts', find: ' AND a.balance_minor >= due.amount_minor', replace: '' },
    { kind: 'integration', file: 'jobs/pay-order', title: 'without funds the order stays payable' },
  ),
  one(
    'a claim is given up for any error of Postgres (F22, F28)',
    {
      file: 'core/steps/place-orders.ts',
      find: '    if (!isDataError(error)) throw error;\n    if (claims.length === 1)',
      replace: '    if (claims.length === 1)',
    },
    { kind: 'integration', file: 'jobs/lost-database', title: 'claims stay promised while the disk is full' },
  ),
];
