import { type Bug, INIT, one } from './bug.js';

const lua = (name: string) => `core/redis/lua/${name}.lua`;

/** Each is made in a copy of the sources, never in the product: no switch for it exists there. */
export const BUGS: Bug[] = [
  one(
    'sold out leaves the buyer marked (S4)',
    {
      file: lua('claim'),
      find: 'else outcomes[i] = 0 end',
      replace: "else redis.call('HSET', KEYS[3], buyer, format(claim_ids[i], 1, 'rejected')) outcomes[i] = 0 end",
    },
    'integration',
    'scripts/claim',
    'a refused click leaves no trace',
  ),
  one(
    'the same buyer twice in a batch wins twice',
    { file: lua('claim'), find: 'elseif seen[buyer] then', replace: 'elseif false then' },
    'integration',
    'scripts/claim',
    'the same buyer twice in a batch wins once',
  ),
  one(
    'the claim script writes no outbox entry',
    { file: lua('claim'), find: "  redis.call('ZADD', KEYS[4], unpack(entries))\n", replace: '' },
    'integration',
    'scripts/claim',
    'a win is a queued claim, and an entry in the outbox',
  ),
  one(
    'no fence: a restarted Redis sells unseen',
    {
      file: lua('include/fence'),
      find: "  if verified ~= string.match(redis.call('INFO', 'server'), 'run_id:(%w+)') then return 'unverified' end\n",
      replace: '',
    },
    'integration',
    'scripts/claim',
    'a sale that was verified for another run of Redis',
  ),
  one(
    'the window is not asked for its end',
    {
      file: lua('include/window'),
      find: "if state == 'closed' or now >= tonumber(closes_at)",
      replace: "if state == 'closed'",
    },
    'integration',
    'scripts/claim',
    'a sale opens and closes by the clock of Redis',
  ),
  one(
    'release without comparing the claim id (F44)',
    {
      file: lua('release'),
      find: 'if not claim or claim.claim_id ~= claim_id or not is_live(record)',
      replace: 'if not claim or not is_live(record)',
    },
    'integration',
    'scripts/release',
    'the release of an old claim leaves the buyer’s new claim alone',
  ),
  one(
    'a second release puts the unit back again (F43)',
    { file: lua('release'), find: ' or not is_live(record) then return 0', replace: ' then return 0' },
    'integration',
    'scripts/release',
    'a second release does nothing',
  ),
  one(
    'release refused when memory is full (F45)',
    { file: lua('release'), find: '#!lua flags=allow-oom', replace: '#!lua' },
    'integration',
    'scripts/release',
    'a full Redis still takes units back',
  ),
  one(
    'statuses move backward',
    {
      file: lua('record-status'),
      find: 'if RANK[status] >= RANK[claim.status] and is_live(record) then',
      replace: 'if true then',
    },
    'integration',
    'scripts/record-status',
    'recording where an order stands',
  ),
  one(
    'a conflict counts as placed (P2002 swallowed)',
    {
      file: 'core/postgres/orders/insert-orders.ts',
      find: '  return { placed, known, conflicting: without(missing, known) };',
      replace: '  return { placed, known, conflicting: [] };',
    },
    'integration',
    'jobs/place-orders',
    'a claim of a unit with another live order is lost',
  ),
  one(
    'no unique index on (sale, unit)',
    { file: INIT, find: 'CREATE UNIQUE INDEX "orders_live_unit"', replace: 'CREATE INDEX "orders_live_unit"' },
    'integration',
    'jobs/place-orders',
    'a claim of a unit with another live order is lost',
  ),
  one(
    'no unique index on (sale, buyer)',
    { file: INIT, find: 'CREATE UNIQUE INDEX "orders_live_buyer"', replace: 'CREATE INDEX "orders_live_buyer"' },
    'integration',
    'jobs/place-orders',
    'a buyer with a live order loses the second claim',
  ),
  one(
    'no sweeper: the outbox is read by nobody',
    { file: 'core/maintenance/rescue.ts', find: 'if (claims.length > 0) {', replace: 'if (claims.length > 1_000) {' },
    'integration',
    'maintenance/rescue',
    'an accepted claim without an order becomes an order',
  ),
  one(
    'cancel without a status guard',
    {
      file: 'core/postgres/orders/end-orders.ts',
      find: "{claim.buyerId} AND status = 'pending_payment'",
      replace: '{claim.buyerId}',
    },
    'integration',
    'jobs/cancel-order',
    'a paid order stays paid',
  ),
  one(
    'cancel without asking whose order it is',
    {
      file: 'core/postgres/orders/end-orders.ts',
      find: 'AND buyer_id = $',
      replace: "AND '' <> $",
    },
    'integration',
    'jobs/cancel-order',
    'a buyer cannot cancel the order of another buyer',
  ),
  one(
    'expiry without a deadline (the queue is believed)',
    {
      file: 'core/postgres/orders/end-orders.ts',
      find: ' AND pay_by <= clock_timestamp()',
      replace: '',
    },
    'integration',
    'jobs/expire-orders',
    'an order is kept until it is due by the clock of Postgres',
  ),
  one(
    'pay without a deadline guard',
    { file: 'core/postgres/money/pay.ts', find: ' AND o.pay_by > clock_timestamp()', replace: '' },
    'integration',
    'jobs/pay-order',
    'a payment after the deadline expires the order instead',
  ),
  one(
    'the wallet is debited without looking at its balance',
    { file: 'core/postgres/money/pay.ts', find: ' AND a.balance_minor >= due.amount_minor', replace: '' },
    'integration',
    'jobs/pay-order',
    'without funds the order stays payable',
  ),
  one(
    'releases that were decided are not carried out again (F41)',
    {
      file: 'core/maintenance/deliver-events.ts',
      find: '    await releaseUnits(ctx, releases);\n',
      replace: '',
    },
    'integration',
    'maintenance/deliver-events',
    'deliver-events carries out the release of a worker that died between cancelling',
  ),
  one(
    'reconcile by counts (F48)',
    {
      file: 'core/comparison/compare.ts',
      find: '  const differences: Difference[] = [];\n',
      replace:
        '  const differences: Difference[] = [];\n  if (orders.filter(o => isLiveOrder(o.status)).length === [...snapshot.claims.values()].filter(c => isLive(c.status)).length) return [];\n',
    },
    'unit',
    'core/compare',
    'status_behind',
  ),
  {
    bug: 'rebuild without closing the gate (F51)',
    edits: [
      {
        file: 'core/maintenance/rebuild.ts',
        find: 'await setSale(ctx.redis, saleId, { runId: gate })',
        replace: 'gate === saleId && (await setSale(ctx.redis, saleId, { runId: gate }))',
      },
      {
        file: lua('open-sale'),
        find: 'gate ~= ARGV[2] or ',
        replace: '',
      },
    ],
    caughtBy: {
      kind: 'integration',
      file: 'maintenance/rebuild',
      title: 'every accepted claim is placed once while a sale is rebuilt',
    },
  },
  one(
    'rebuild calls a claim lost without a tombstone',
    {
      file: 'core/maintenance/rebuild.ts',
      find: "    for (const claims of chunks(undecided, VOID_BATCH)) await giveUp(ctx, { saleId, claims, why: 'lost' });\n",
      replace: '',
    },
    'integration',
    'maintenance/rebuild',
    'a claim of a unit with another order ends as lost',
  ),
  one(
    'a claim of a receipt is called lost without a tombstone',
    {
      file: 'core/steps/settle-receipt.ts',
      find: "  await releaseUnits(ctx, await giveUp(ctx, { saleId, claims: [claim], why: 'lost' }));\n",
      replace: "  await restoreClaim(ctx.redis, saleId, { ...claim, status: 'rejected', reason: 'lost' });\n",
    },
    'integration',
    'jobs/settle-receipt',
    'an unplaced claim becomes rejected(lost)',
  ),
  one(
    'a Redis that was emptied while it was compared counts as whole',
    { file: lua('mark-registry'), find: 'then return 0 end', replace: 'then break end' },
    'integration',
    'maintenance/reconcile',
    'the list of sales is not whole',
  ),
  one(
    'a receipt that does not say whose it is',
    {
      file: 'core/identity/receipt.ts',
      find: '{buyerId}.$',
      replace: "{'anybody'}.$",
    },
    'unit',
    'core/receipt',
    'a receipt of another buyer is refused',
  ),
  one(
    "a buyer's id is not held to one spelling",
    {
      file: 'core/identity/token.ts',
      find: "typeof sub === 'string' && ID_PATTERN.test(sub) ? sub : undefined",
      replace: "typeof sub === 'string' ? sub : undefined",
    },
    'unit',
    'core/token',
    'a token with the buyer',
  ),
  one(
    'a claim is given up for whatever Postgres says (F22, F28)',
    {
      file: 'core/steps/place-orders.ts',
      find: '    if (!isDataError(error)) throw error;\n    if (claims.length === 1)',
      replace: '    if (claims.length === 1)',
    },
    'integration',
    'jobs/lost-database',
    'claims stay promised while the disk is full',
  ),
  one(
    'a Redis that can not save is a defect, not a moment to wait for (F06)',
    { file: 'core/redis/connection.ts', find: '|MISCONF|', replace: '|' },
    'integration',
    'api-faults/error-replies',
    'MISCONF',
  ),
  one(
    'what a later version adds to a claim record breaks this one (F58)',
    { file: lua('include/record'), find: "(%S+) (%S+) (%S+)'", replace: "(%S+) (%S+) (%S+)$'" },
    'integration',
    'scripts/two-versions',
    'an additional word at the end of a claim record is ignored',
  ),
];
