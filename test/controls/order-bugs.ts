import { type Bug, INIT, one } from './bug.js';

const INSERT = 'core/postgres/orders/insert-orders.ts';

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
      find: 'o.pay_by <= ',
      replace: "timestamptz '-infinity' <= ",
    },
    {
      kind: 'integration',
      file: 'jobs/expire-orders',
      title: 'an order with time left is neither read nor cancelled',
    },
  ),
  one(
    'a due time is compared with a clock that is asked for each row',
    { file: 'core/postgres/now.ts', find: '(SELECT clock_timestamp())`;', replace: 'clock_timestamp()`;' },
    { kind: 'integration', file: 'tables/plans', title: 'of a round of expire-overdue' },
  ),
  one(
    'a round reads every notice that waits for its next attempt',
    {
      file: 'prisma/migrations/0020_notices_in_turn/migration.sql',
      find: '("attempt_at", "id")',
      replace: '("created_at")',
    },
    { kind: 'integration', file: 'tables/plans', title: 'of a round of tell-shop' },
  ),
  one(
    'a page of the console reads all payments',
    {
      file: 'prisma/migrations/0023_payments_odd/migration.sql',
      find: '"refund_tries" >= 3',
      replace: '"refund_tries" >= 4',
    },
    { kind: 'integration', file: 'tables/plans', title: 'of the audit and the pages of the console' },
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
  one(
    'two workers lock the claims of one batch in different orders',
    { file: INSERT, find: '      ORDER BY c.id\n', replace: '' },
    { kind: 'integration', file: 'tables/sale-orders', title: 'are placed without a deadlock' },
  ),
  one(
    'two workers lock the wallets of one batch in different orders',
    {
      file: 'core/postgres/orders/insert-paid-orders.ts',
      find: '(SELECT * FROM wanted ORDER BY buyer_id) w',
      replace: '(SELECT * FROM wanted) w',
    },
    { kind: 'integration', file: 'tables/sale-orders', title: 'are paid at once without a deadlock' },
  ),
  one(
    'a withdrawn unit gets another order',
    {
      file: INSERT,
      find: '      WHERE NOT EXISTS (SELECT FROM withdrawn_units w WHERE w.sale_id = s.id AND w.unit = c.unit)\n',
      replace: '',
    },
    { kind: 'integration', file: 'tables/sale-orders', title: 'gets no order with' },
  ),
  one(
    'expiry waits for an order that another process is changing',
    { file: 'core/postgres/orders/end-orders.ts', find: 'FOR UPDATE OF o SKIP LOCKED', replace: 'FOR UPDATE OF o' },
    { kind: 'integration', file: 'tables/sale-orders', title: 'that another process is changing are left to it' },
  ),
  one(
    'overdue orders are read in another order than that of their pages',
    {
      file: 'core/postgres/orders/end-orders.ts',
      find: 'ORDER BY o.pay_by, o.id LIMIT',
      replace: 'ORDER BY o.id LIMIT',
    },
    { kind: 'integration', file: 'tables/sale-orders', title: 'are read with the longest overdue first' },
  ),
  one(
    'the newest order of a buyer counts, even if it has ended and another is live',
    {
      file: 'core/postgres/orders/sale-orders.ts',
      find: "(o.status IN ('pending_payment', 'paid')) DESC, ",
      replace: '',
    },
    { kind: 'integration', file: 'tables/sale-orders', title: 'is the live one, even if one that ended is newer' },
  ),
  one(
    'an ended order becomes live again',
    {
      file: INIT,
      find: '    RAISE EXCEPTION \'order %: % never becomes %\', OLD."id", OLD."status", NEW."status" USING ERRCODE = \'23514\';',
      replace: '    NULL;',
    },
    { kind: 'integration', file: 'tables/orders', title: 'back or aside' },
  ),
  one(
    'an operator’s repeated restock adds its units twice',
    {
      file: 'core/postgres/sales.ts',
      find: 'seen === undefined ? {} : { generation: seen }',
      replace: '{}',
    },
    { kind: 'integration', file: 'tables/sales', title: 'of the units is made once for one generation' },
  ),
  one(
    'a closed sale is opened again',
    { file: 'core/postgres/sales.ts', find: "state: { not: 'closed' }, ", replace: '' },
    { kind: 'integration', file: 'tables/sales', title: 'is refused once the sale is closed' },
  ),
  one(
    'a Postgres that has no room counts as one that refuses the claims',
    {
      file: 'core/postgres/failure.ts',
      find: "const AWAY_CLASSES = ['08', '53', ",
      replace: "const AWAY_CLASSES = ['08', ",
    },
    { kind: 'integration', file: 'tables/connection', title: 'passes' },
  ),
  one(
    'the wallets of a batch are locked in the order of its claims',
    {
      file: 'core/postgres/orders/insert-paid-orders.ts',
      find: '(SELECT * FROM wanted ORDER BY buyer_id) w',
      replace: '(SELECT * FROM wanted) w',
    },
    { kind: 'integration', file: 'money/locks', title: 'both debit them' },
  ),
  one(
    'two restocks at once lose the units of one',
    {
      file: 'core/postgres/sales.ts',
      find: '{ units: { increment: update.addUnits } }',
      replace: '{ units: ((await readSale(db, saleId))?.units ?? 0) + update.addUnits }',
    },
    {
      kind: 'integration',
      file: 'tables/sales',
      title: 'of the units counts beside another one that is made at the same time',
    },
  ),
  one(
    'a cancellation has the id of the job that has failed before',
    {
      file: 'core/queue/enqueue.ts',
      find: "await add(queues.of(order.saleId), 'cancel-order', order, { deduplication: { id: order.claimId } });",
      replace: "await add(queues.of(order.saleId), 'cancel-order', order, { jobId: order.claimId });",
    },
    {
      kind: 'integration',
      file: 'queue/job-worker',
      title: 'a click after the job of an earlier one has ended, and is kept, adds a job that runs',
    },
  ),
];
