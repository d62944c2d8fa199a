import { type Bug, lua, one } from '../bug.js';

const INSERT = 'core/postgres/orders/insert-orders.ts';

/** Bugs in the time to pay a unit that came back, and in what robots get to see. */
export const SIGHT_BUGS: Bug[] = [
  one(
    'a unit that came back unpaid may be held as long as a new one',
    { file: INSERT, find: 'THEN least($', replace: 'THEN greatest($' },
    { kind: 'integration', file: 'tables/retry-time', title: 'that was not paid in time has the shorter time to pay' },
  ),
  one(
    'the buyers of one batch read the same deadline, whatever their orders have',
    {
      file: 'core/postgres/orders/inserted.ts',
      find: 'sooner.has(claim.claimId) ? soonerByMs : payByMs',
      replace: 'payByMs',
    },
    { kind: 'integration', file: 'tables/retry-time', title: 'tells each buyer the deadline of their own order' },
  ),
  one(
    'placing looks for the earlier orders of a unit in all orders',
    {
      file: 'prisma/migrations/0034_orders_came_back/migration.sql',
      find: '("sale_id", "unit")',
      replace: '("placed_at")',
    },
    { kind: 'integration', file: 'tables/plans', title: 'of placing units that came back unpaid' },
  ),
  one(
    'a rebuild deals the units that are left by their numbers',
    {
      file: 'core/maintenance/merge.ts',
      find: 'dealt(this.#units, this.#parts.sale.unitSeed)',
      replace: 'dealt(this.#units)',
    },
    {
      kind: 'integration',
      file: 'repairs/random-units',
      title: 'a rebuild deals the units that are left in the same order',
    },
  ),
  one(
    'a restock deals the new units by their numbers',
    { file: lua('restock'), find: 'return hashes[a] < hashes[b]', replace: 'return a < b' },
    { kind: 'integration', file: 'repairs/random-units', title: 'a restock adds the new units in random order' },
  ),
  one(
    'a sale with coarse stock shows visitors the exact number',
    {
      file: 'apps/api/routes/sales.ts',
      find: 'remaining: roughly(sale.remaining, sale), ',
      replace: 'remaining: sale.remaining, ',
    },
    { kind: 'integration', file: 'api/sales', title: 'has only a rough number of free units' },
  ),
  {
    bug: 'a click tells when a hidden sale opens',
    // The gate for passes refuses a click in a hidden sale before the claim does, so both have to be wrong.
    edits: [
      {
        file: 'apps/api/passes/pass-gate.ts',
        find: 'if (!sale) throw',
        replace: 'if (!sale) return undefined;\n    if (!sale) throw',
      },
      { file: 'apps/api/listeners/buy.ts', find: 'if (parts.passes.knows(saleId))', replace: "if (saleId !== '')" },
      {
        file: 'apps/api/listeners/buy.ts',
        find: '    if (sale) sendProblem(res, code, details);',
        replace: '    if (sale || error) sendProblem(res, code, details);',
      },
    ],
    caughtBy: {
      kind: 'integration',
      file: 'robots/hidden-sales',
      title: 'a crowd at a hidden sale that is closed gets no other answer from memory',
    },
  },
  one(
    'an API answers polls about a hidden sale that it has in memory',
    {
      file: 'apps/api/mirror/sales.ts',
      find: 'sale === UNKNOWN || isHidden(sale, redisNowMs(sale)) ? undefined',
      replace: 'sale === UNKNOWN ? undefined',
    },
    {
      kind: 'integration',
      file: 'robots/hidden-sales',
      title: 'no poll is answered from the memory of the API while its sale is hidden',
    },
  ),
  one(
    'a hidden sale that is closed refuses its crowd from memory',
    { file: 'apps/api/mirror/mirror.ts', find: '    if (nowMs < announceAtMs) return;\n', replace: '' },
    { kind: 'unit', file: 'apps/mirror/mirror', title: 'nobody is refused from memory while the sale is hidden' },
  ),
];
