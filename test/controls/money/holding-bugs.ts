import { type Bug, lua, one } from '../bug.js';

/** Bugs in what holding a unit without paying costs. */
export const HOLDING_BUGS: Bug[] = [
  one(
    'a rebuild forgets the strikes',
    { file: 'core/rules/order.ts', find: '  if (strikes !== undefined) claim.strikes = strikes;\n', replace: '' },
    { kind: 'integration', file: 'holding/kept', title: 'of a Redis that lost everything brings the strikes back' },
  ),
  one(
    'a buyer with a strike waits among all others',
    {
      file: lua('include/holding/standby'),
      find: 'strikes > 0 and struck_ticket(line.sale) or redis.call',
      replace: 'redis.call',
    },
    { kind: 'integration', file: 'holding/strikes', title: 'is behind everybody who comes later' },
  ),
  one(
    'a buyer with a strike takes a free unit at once',
    { file: lua('include/holding/choosing'), find: ' and struck_wait(line.sale, line.now) == 0', replace: '' },
    { kind: 'integration', file: 'holding/strikes', title: 'is for others first' },
  ),
  one(
    'a payment that the provider failed is a strike',
    {
      file: 'core/postgres/orders/end-orders.ts',
      find: "THEN 'provider_failed' ELSE",
      replace: "THEN 'unpaid' ELSE",
    },
    {
      kind: 'integration',
      file: 'holding/counted',
      title: 'is none if its buyer asked to pay, and the provider was away',
    },
  ),
  one(
    'the next claim of a buyer begins without strikes',
    { file: lua('include/record'), find: 'return strikes > 0 and { strikes = strikes } or nil', replace: 'return nil' },
    { kind: 'integration', file: 'holding/strikes', title: 'stays with the next claim of the buyer' },
  ),
  one(
    'buyers with strikes take the room of others on standby',
    {
      file: lua('claim'),
      find: 'limit and on_standby > 0 and others_waiting(KEYS[5]) or on_standby',
      replace: 'on_standby',
    },
    { kind: 'integration', file: 'holding/strikes', title: 'takes no room of the others' },
  ),
];
