import { type Bug, lua, one } from './bug.js';

/** Bugs in the maintenance that repairs what a failure left behind. */
export const REPAIR_BUGS: Bug[] = [
  one(
    'no rescue: nobody reads the outbox',
    { file: 'core/maintenance/rescue.ts', find: 'if (claims.length > 0) {', replace: 'if (claims.length > 1_000) {' },
    {
      kind: 'integration',
      file: 'maintenance/rescue',
      title: 'an accepted claim without an order becomes an order',
    },
  ),
  one(
    'releases that a dead worker left behind are never carried out (F41)',
    {
      file: 'core/maintenance/deliver-events.ts',
      find: '    await releaseUnits(ctx, releases);\n',
      replace: '',
    },
    {
      kind: 'integration',
      file: 'maintenance/deliver-events',
      title: 'deliver-events carries out the release of a worker that died between cancelling',
    },
  ),
  one(
    'reconcile by counts (F48)',
    {
      file: 'core/comparison/compare.ts',
      find: '  const differences: Difference[] = [];\n',
      replace:
        '  const differences: Difference[] = [];\n  if (orders.filter(o => isLiveOrder(o.status)).length === [...snapshot.claims.values()].filter(c => isLive(c.status)).length) return [];\n',
    },
    { kind: 'unit', file: 'core/compare', title: 'status_behind' },
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
    caughtBy: { kind: 'integration', file: 'maintenance/rebuild', title: 'while a sale is rebuilt again and again' },
  },
  one(
    'rebuild calls a claim lost without a tombstone',
    {
      file: 'core/maintenance/rebuild.ts',
      find: "    for (const claims of chunks(undecided, VOID_BATCH)) await giveUp(ctx, { saleId, claims, why: 'lost' });\n",
      replace: '',
    },
    { kind: 'integration', file: 'maintenance/rebuild', title: 'a claim of a unit with another order ends as lost' },
  ),
  one(
    'a claim of a receipt is called lost without a tombstone',
    {
      file: 'core/steps/settle-receipt.ts',
      find: "  await releaseUnits(ctx, await giveUp(ctx, { saleId, claims: [claim], why: 'lost' }));\n",
      replace: "  await restoreClaim(ctx.redis, saleId, { ...claim, status: 'rejected', reason: 'lost' });\n",
    },
    { kind: 'integration', file: 'jobs/settle-receipt', title: 'an unplaced claim becomes rejected(lost)' },
  ),
  one(
    'a Redis that was emptied while it was compared counts as whole',
    { file: lua('mark-registry'), find: 'then return 0 end', replace: 'then break end' },
    { kind: 'integration', file: 'maintenance/reconcile', title: 'the list of sales is not whole' },
  ),
];
