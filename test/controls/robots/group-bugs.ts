import { type Bug, lua, one } from '../bug.js';

/** Bugs in the bound of units for a group of buyers. */
export const GROUP_BUGS: Bug[] = [
  one(
    'the winners of one batch do not count for their group',
    {
      file: lua('include/clicks/groups'),
      find: 'groups.live[group] = groups.live[group] + 1',
      replace: 'groups.live[group] = groups.live[group]',
    },
    { kind: 'integration', file: 'groups/claiming', title: 'also when its members click in one batch' },
  ),
  one(
    'a claim that ends still counts for its group',
    { file: lua('release'), find: '  regroup(keys.sale, record, ended)\n', replace: '' },
    { kind: 'integration', file: 'groups/claiming', title: 'and another one once a claim has ended' },
  ),
  one(
    'a promotion does not look at groups',
    {
      file: lua('include/promote'),
      find: 'not first or not group or not has_all(key, group, keys.per_group)',
      replace: 'true',
    },
    { kind: 'integration', file: 'groups/claiming', title: 'two of one group wait' },
  ),
  one(
    'late money does not look at groups',
    { file: lua('regrab'), find: 'if group and per_group > 0 and has_all', replace: 'if false and has_all' },
    { kind: 'integration', file: 'groups/claiming', title: 'in the group of the order, if the group has room' },
  ),
  one(
    'a rebuild counts no groups',
    {
      file: 'core/redis/sale/staging.ts',
      find: 'this.#countsGroups = perGroup > 0',
      replace: 'this.#countsGroups = perGroup < 0',
    },
    { kind: 'integration', file: 'groups/keeping', title: 'by a rebuild, also of a claim that has no order yet' },
  ),
  one(
    'Postgres does not keep the group of an entry',
    { file: 'core/postgres/draws/entries.ts', find: 'n.is_waiting, n.buyer_group', replace: 'n.is_waiting, NULL' },
    { kind: 'integration', file: 'groups/keeping', title: 'a draw keeps the groups of its entries in Postgres' },
  ),
  one(
    'a token names any text as the group',
    {
      file: 'core/identity/token.ts',
      find: "typeof group === 'string' && ID_PATTERN.test(group)",
      replace: "typeof group === 'string'",
    },
    { kind: 'unit', file: 'core/identity/token', title: 'a token whose group is %j is invalid' },
  ),
];
