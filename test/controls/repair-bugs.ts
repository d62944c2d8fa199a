import { type Bug, lua, one } from './bug.js';

/** Bugs in the maintenance that repairs what a failure left behind. */
export const REPAIR_BUGS: Bug[] = [
  one(
    'no rescue: nobody reads the outbox',
    { file: 'core/maintenance/rescue.ts', find: '(await isLeftToWorker(ctx, saleId, claims))', replace: 'true' },
    {
      kind: 'integration',
      file: 'maintenance/rescue',
      title: 'an accepted claim without an order becomes an order',
    },
  ),
  one(
    'the job of a killed worker keeps the next claims from a job (F16)',
    { file: 'core/steps/place-waiting.ts', find: '  await beginPlaceWaiting(ctx.queues, job);\n', replace: '' },
    { kind: 'integration', file: 'jobs/place-waiting', title: 'while a job runs, the next claim adds another one' },
  ),
  one(
    'a worker that placed all claims does not look again after it let go',
    {
      file: 'core/steps/place-waiting.ts',
      find: '      isHeld = false;\n      continue;',
      replace: '      return true;',
    },
    { kind: 'integration', file: 'jobs/place-waiting', title: 'whose own job found another one at work' },
  ),
  one(
    'rescue places beside a worker that is at work',
    {
      file: 'core/maintenance/rescue.ts',
      find: '(tried === 0 && (await isLeftToWorker(ctx, saleId, claims)))',
      replace: 'tried < 0',
    },
    { kind: 'integration', file: 'jobs/place-waiting', title: 'rescue leaves the claims of a sale to the worker' },
  ),
  one(
    'a worker that fails each time keeps rescue from the claims of its sale',
    {
      file: 'core/maintenance/rescue.ts',
      find: ' < RESCUE_ANYWAY_AFTER_MS;',
      replace: ' < 60 * RESCUE_ANYWAY_AFTER_MS;',
    },
    { kind: 'integration', file: 'maintenance/rescue', title: 'a claim of 8 s is rescued although' },
  ),
  one(
    'a page of claims that stay in the outbox ends the placing',
    {
      file: 'core/redis/claims/outbox.ts',
      find: 'claims.length > 0 || page.length < limit',
      replace: 'true',
    },
    { kind: 'integration', file: 'maintenance/rescue', title: 'a full batch that stays in the outbox' },
  ),
  one(
    'claims that were won while others were placed wait for rescue',
    {
      file: 'core/steps/place-waiting.ts',
      find: '    if (claims.length < PLACE_BATCH_MAX) await',
      replace: '    if (claims.length < PLACE_BATCH_MAX) return;\n    await',
    },
    { kind: 'integration', file: 'jobs/place-waiting', title: 'a claim that is won while the others are placed' },
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
      find: '  const differences = order ? compareOrder(order, claim) : [];\n',
      replace:
        '  const differences = order && isLiveOrder(order.status) !== (claim && isLive(claim.status)) ? compareOrder(order, claim) : [];\n',
    },
    { kind: 'unit', file: 'core/compare', title: 'status_behind' },
  ),
  {
    bug: 'rebuild without closing the gate (F51)',
    edits: [
      {
        file: lua('shut-gate'),
        find: "redis.call('HSET', KEYS[1], 'runId', ARGV[1])\n",
        replace: '',
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
      file: 'core/maintenance/merge.ts',
      find: "    await giveUp(this.#ctx, { saleId: this.#parts.sale.id, claims: lost, why: 'lost' });\n",
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
      file: 'core/values/in-turn.ts',
      find: '      failures.push({ name: nameOf?.(one), error });\n',
      replace: '      throw error;\n',
    },
    { kind: 'integration', file: 'maintenance/sick-sale', title: 'other sales are compared' },
  ),
  one(
    'a gate that is shut waits until all other sales are compared',
    {
      file: 'core/maintenance/reconcile.ts',
      find: 'if (pace?.isWaitedFor(beganAtMs) && ',
      replace: 'if (pace?.isNew && ',
    },
    { kind: 'integration', file: 'maintenance/by-change', title: 'compares no more sales once its end is waited for' },
  ),
  one(
    'only the first page of due releases is read',
    { file: 'core/postgres/pages.ts', find: '    afterId = last.id;\n', replace: '    return;\n' },
    { kind: 'unit', file: 'core/pages', title: 'each page begins after the last row' },
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
    {
      file: 'core/maintenance/merge.ts',
      find: '      for (const unit of page) this.#units.withdraw(unit);\n',
      replace: '      if (!page) return false;\n',
    },
    { kind: 'integration', file: 'comparison/copying', title: 'a withdrawn unit stays out of stock' },
  ),
  one(
    'each batch of placed orders gets an expiry job of its own',
    { file: 'core/queue/enqueue.ts', find: `, jobId: \`due-\${dueAtMs}\``, replace: '' },
    { kind: 'integration', file: 'queue/broken-queue', title: 'expire by one job, after the last deadline' },
  ),
  one(
    'orders expire before the last deadline of their second',
    { file: 'core/queue/enqueue.ts', find: 'Math.ceil(payByMs / 1_000)', replace: 'Math.floor(payByMs / 1_000)' },
    { kind: 'integration', file: 'queue/broken-queue', title: 'expire by one job, after the last deadline' },
  ),
  one(
    'a unit that changes hands while a sale is read by pages counts as wrong',
    { file: 'core/comparison/lasting.ts', find: 'const isSmall = ', replace: 'const isSmall = units.length < 0 && ' },
    {
      kind: 'integration',
      file: 'repairs/reopened-sale',
      title: 'a unit that changes hands in every look is not wrong',
    },
  ),
  one(
    'a rebuild forgets the buyers who change while it copies',
    {
      file: lua('include/changes'),
      find: '  if sale[3] then note_changes(sale_key, sale[3]) end\n',
      replace: '',
    },
    { kind: 'integration', file: 'comparison/copying', title: 'an order that was placed' },
  ),
  one(
    'a rebuild forgets the claims from a large stock while it copies',
    { file: lua('claim'), find: ' and not sale[5]', replace: '' },
    { kind: 'integration', file: 'comparison/copying', title: 'a claim, from a stock with hundreds of units' },
  ),
  one(
    'a rebuild forgets the second change of a buyer',
    {
      file: 'core/maintenance/rebuild.ts',
      find: '      await merge.copyChanged(await copying.takeChanged(), units);\n',
      replace:
        '      await merge.copyChanged(await copying.takeChanged(), units);\n      await copying.takeChanged();\n',
    },
    { kind: 'integration', file: 'comparison/passes', title: 'a buyer who changes in each pass' },
  ),
  one(
    'a unit is free although its new holder was copied before its old one',
    {
      file: 'core/maintenance/merge.ts',
      find: '!this.#units.hold(unit, claimId)) this.#doubtful.add(buyerId);\n',
      replace: '!this.#units.hold(unit, claimId)) this.#doubtful.delete(buyerId);\n',
    },
    { kind: 'integration', file: 'comparison/passes', title: 'the new holder of a unit is copied' },
  ),
  one(
    'a rebuild that fails leaves the sale shut',
    {
      file: 'core/redis/sale/copying.ts',
      find: "    if (this.kind !== 'open') return;\n",
      replace: '    if (this.kind) return;\n',
    },
    { kind: 'integration', file: 'comparison/copying', title: 'if it fails before open-sale' },
  ),
  one(
    'a rebuild swaps in its copy although another one has begun since',
    {
      file: lua('shut-gate'),
      find: "if redis.call('HGET', KEYS[1], 'copying') ~= ARGV[1] then return 0 end\n",
      replace: '',
    },
    { kind: 'integration', file: 'comparison/copying', title: 'if another one has begun since' },
  ),
  one(
    'what a rebuild prepares stays in Redis if its process dies',
    {
      file: 'core/redis/sale/staging.ts',
      find: '      await this.#redis.expire(key, STAGED_TTL_SECONDS);\n',
      replace: '',
    },
    { kind: 'integration', file: 'redis/registry', title: 'leaves temporary keys that expire' },
  ),
  one(
    'a sale that Redis has lost counts as one that never existed',
    {
      file: 'core/redis/registry.ts',
      find: 'isWhole: run === (await readRunId(server))',
      replace: 'isWhole: run !== server.status',
    },
    { kind: 'integration', file: 'redis/registry', title: 'is known as such once the list of sales is whole' },
  ),
  one(
    'what waits is found by the clock of the process',
    {
      file: 'core/redis/claims/waiting.ts',
      find: 'msOf(await redis.time()) - olderThanMs',
      replace: 'Date.now() - olderThanMs',
    },
    { kind: 'integration', file: 'clocks/wrong-clock', title: 'rescues the claims that have waited' },
  ),
  one(
    'the age of what waits is measured by the clock of the process',
    {
      file: 'core/redis/claims/waiting.ts',
      find: 'msOf(replies.at(-1) as string[])',
      replace: 'Date.now()',
    },
    { kind: 'integration', file: 'clocks/wrong-clock', title: 'measures how long claims and clicks have waited' },
  ),
  one(
    'releases that wait are found by the clock of the process',
    {
      file: 'core/postgres/deliveries/due-releases.ts',
      find: `created_at <= \${NOW} - \${olderThanMs} * interval '1 millisecond'`,
      replace: `created_at <= \${new Date(Date.now() - olderThanMs)}`,
    },
    { kind: 'integration', file: 'clocks/wrong-clock', title: 'carries out the releases that have waited' },
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
      find: 'isAllOpen ? own : inOpeningOrder(own, Date.now())',
      replace: 'own',
    },
    { kind: 'integration', file: 'repairs/reopened-sale', title: 'a Redis that was emptied gets a sale' },
  ),
];
