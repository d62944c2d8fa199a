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
  one(
    'a sale that cannot be served ends the round of all sales',
    {
      file: 'core/steps/in-turn.ts',
      find: '      failures.push({ name: nameOf?.(one), error });\n',
      replace: '      throw error;\n',
    },
    { kind: 'integration', file: 'maintenance/sick-sale', title: 'other sales are compared' },
  ),
  one(
    'only the first page of due releases is read',
    { file: 'core/maintenance/pages.ts', find: '    afterId = last.id;\n', replace: '    return;\n' },
    { kind: 'unit', file: 'core/maintenance/pages', title: 'each page begins after the last row' },
  ),
  one(
    'a sale that Redis kept through a restart opens in the state that Redis knew',
    {
      file: 'core/maintenance/reconcile.ts',
      find: 'const opening = { runId, state, stateGeneration: generation };',
      replace: 'const opening = { runId };',
    },
    { kind: 'integration', file: 'repairs/reopened-sale', title: 'a sale that was closed meanwhile sells nothing' },
  ),
  one(
    'a rebuild puts withdrawn units back in stock',
    { file: 'core/redis/sale/open-sale.ts', find: '...(state.withdrawn ?? []), ', replace: '' },
    {
      kind: 'integration',
      file: 'redis/registry',
      title: 'has the units that are neither in a live claim nor withdrawn',
    },
  ),
  one(
    'what a rebuild prepares stays in Redis if its process dies',
    { file: 'core/redis/sale/open-sale.ts', find: '    await redis.expire(key, STAGED_TTL_SECONDS);\n', replace: '' },
    { kind: 'integration', file: 'redis/registry', title: 'leaves temporary keys that expire' },
  ),
  one(
    'a sale that Redis has lost counts as one that never existed',
    {
      file: 'core/redis/registry.ts',
      find: 'return generation === null && run === (await readRunId(redis));',
      replace: 'return generation === null && run !== redis.status;',
    },
    { kind: 'integration', file: 'redis/registry', title: 'is known as such once the list of sales is whole' },
  ),
  one(
    'prune deletes one batch of old events in a round',
    {
      file: 'core/postgres/deliveries/prune.ts',
      find: '    after = row?.last ?? null;',
      replace: '    after = row && null;',
    },
    { kind: 'integration', file: 'maintenance/prune', title: 'old notices leave in batches' },
  ),
  one(
    'after a restart of Redis the newest sale is opened first, whatever sells',
    {
      file: 'core/maintenance/reconcile.ts',
      find: 'inOpeningOrder(await readRecentSales(ctx.db), Date.now())',
      replace: 'await readRecentSales(ctx.db)',
    },
    { kind: 'integration', file: 'repairs/reopened-sale', title: 'a Redis that was emptied gets a sale' },
  ),
];
