import { type Bug, lua, one } from './bug.js';

const RECONCILE = 'core/maintenance/reconcile.ts';
const LAYOUT = 'core/redis/layout.ts';
const marks = (title: string) => ({ kind: 'integration', file: 'redis/marks', title }) as const;
const byChange = (title: string) => ({ kind: 'integration', file: 'maintenance/by-change', title }) as const;
const moved = (title: string) => ({ kind: 'integration', file: 'redis/moved-meanwhile', title }) as const;
const layout = (title: string) => ({ kind: 'integration', file: 'redis/layout', title }) as const;

/** Bugs in the marks that say which sales need work, and in the names of keys. */
export const MARK_BUGS: Bug[] = [
  one(
    'a claim leaves no mark, so rescue never looks at its sale',
    {
      file: lua('claim'),
      find: "  redis.call('ZADD', KEYS[4], unpack(entries))\n  mark(KEYS[1], 'unplaced', true)\n",
      replace: "  redis.call('ZADD', KEYS[4], unpack(entries))\n",
    },
    marks('until its last claim has an order'),
  ),
  one(
    'the first order takes the mark although other claims wait',
    {
      file: lua('record-status'),
      find: "mark(KEYS[1], 'unplaced', redis.call('ZCARD', KEYS[3]) > 0)",
      replace: "mark(KEYS[1], 'unplaced', false)",
    },
    marks('until its last claim has an order'),
  ),
  one(
    'a promoted claim leaves no mark',
    {
      file: lua('release'),
      find: "mark(KEYS[1], 'unplaced', redis.call('ZCARD', KEYS[4]) > 0)",
      replace: "mark(KEYS[1], 'unplaced', false)",
    },
    marks('when a released unit goes to a buyer on standby'),
  ),
  one(
    'a change that nobody hears of leaves no mark',
    {
      file: 'core/redis/lua/include/changes.lua',
      find: "  mark(sale_key, 'changed', true)\n",
      replace: '',
    },
    marks('when a unit is claimed, with many and with few free units'),
  ),
  one(
    'a comparison takes the mark of a later change',
    {
      file: lua('unmark-changed'),
      find: "if redis.call('HGET', KEYS[1], 'version') ~= ARGV[1] then return 0 end\n",
      replace: '',
    },
    marks('for as long as nobody has compared it as it is now'),
  ),
  one(
    'a gate that a dead process has shut stays shut until its sale is due',
    { file: RECONCILE, find: '(!isWhole || changed.has(saleId))', replace: '!isWhole' },
    byChange('opens a gate that a process has shut before it died'),
  ),
  one(
    'a payment that only Postgres knows waits until its quiet sale is due',
    {
      file: RECONCILE,
      find: 'new Set([...marked, ...paid, ...changedHere])',
      replace: 'new Set([...marked, ...changedHere])',
    },
    byChange('tells of a payment whose worker died after it was applied'),
  ),
  one(
    'an operator’s change that only Postgres knows waits until its quiet sale is due',
    {
      file: RECONCILE,
      find: 'new Set([...marked, ...paid, ...changedHere])',
      replace: 'new Set([...marked, ...paid])',
    },
    byChange('carries over an operator’s change that has reached only Postgres'),
  ),
  one(
    'a part that was given back leaves no mark before',
    {
      file: 'core/operator/partial-refund.ts',
      find: '  await markChanged(ctx.redis, saleId).catch(() => undefined);\n',
      replace: '',
    },
    byChange('tells of a part that was given back by a process that died before it could'),
  ),
  one(
    'every round compares every sale',
    {
      file: RECONCILE,
      find: 'if (!reopened.has(saleId) && pace?.isDue(saleId, { isChanged, sales }) === false) return [];',
      replace: '',
    },
    byChange('compares the sale that has changed, and reads nothing of 30 others'),
  ),
  one(
    'the move forgets a set of the sale',
    { file: lua('move-keys'), find: "'payments', 'pay-clicks', 'placing'", replace: "'payments', 'placing'" },
    layout('keep everything when they are moved'),
  ),
  one(
    'the move forgets a sale that is opened meanwhile',
    { file: lua('move-keys'), find: 'if sales ~= #ARGV / 4 then return 0 end\n', replace: '' },
    moved('takes a sale along that is opened after the sales were listed'),
  ),
  one(
    'a process of the earlier version may load a sale beside the new keys',
    { file: lua('decide-layout'), find: "redis.call('SET', KEYS[2], 'moved')\n", replace: '' },
    layout('gets keys by buckets, and no process of an earlier version'),
  ),
  one(
    'a process keeps its layout although Redis has another one',
    { file: LAYOUT, find: '  workWith(layout);\n', replace: "  workWith('bucket');\n" },
    layout('keep their keys until they are moved'),
  ),
  one(
    'expiry takes clicks under an old name for no clicks',
    {
      file: 'core/redis/claims/pay-click.ts',
      find: `    // It comes last, and fails when the keys were moved before.
    .hlen(registryKeyOf(saleId))
`,
      replace: '',
    },
    moved('cancels no order that its buyer asked to pay in time'),
  ),
  one(
    'a rebuild takes a sale under an old name for an empty one',
    {
      file: 'core/redis/sale/content.ts',
      find: '    // It fails when the keys were moved.\n    .hlen(registryKeyOf(saleId))\n',
      replace: '',
    },
    moved('rebuilds no sale without the claims and the standby that have new names'),
  ),
  one(
    'a sale is opened under its old name after the move',
    {
      file: lua('open-sale'),
      find: "if not bucket_of(KEYS[1]) and redis.call('EXISTS', '{dropline:sales}:layout') == 1 then return 'restarted' end\n",
      replace: '',
    },
    moved('opens no sale under names that nobody else uses'),
  ),
  one(
    'a sale that is registered and not loaded seems to be as Postgres has it',
    {
      file: 'core/redis/sale/staging.ts',
      find: 'hsetnx(registryKeyOf(sale.id), sale.id, 0)',
      replace: 'hsetnx(registryKeyOf(saleId), saleId, 1)',
    },
    { kind: 'integration', file: 'redis/half-loaded', title: 'a sale whose process died before it was loaded' },
  ),
];
