import { type Bug, lua, one } from '../bug.js';

/** Bugs in what it costs to hold units without paying. */
export const STRIKE_BUGS: Bug[] = [
  one(
    'a rebuild forgets ends without payment',
    { file: 'core/rules/order.ts', find: '  if (strikes !== undefined) claim.strikes = strikes;\n', replace: '' },
    { kind: 'integration', file: 'strikes/keeping', title: 'by a rebuild, also of a claim that has no order yet' },
  ),
  one(
    'a buyer who did not pay joins standby before those who come later',
    { file: lua('include/clicks/standby'), find: 'STRUCK_FROM + ticket', replace: 'ticket' },
    { kind: 'integration', file: 'strikes/claiming', title: 'a struck buyer stands behind everybody who comes later' },
  ),
  one(
    'a buyer who did not pay takes free units like all others',
    { file: lua('include/strikes'), find: 'rules.left_ms > 0 and', replace: 'false and' },
    { kind: 'integration', file: 'strikes/claiming', title: 'only after the others had the time to click' },
  ),
  one(
    'nobody looks at the limit of ends without payment',
    { file: lua('include/clicks/standby'), find: 'is_struck and click.strikes >= strikes.limit', replace: 'false' },
    { kind: 'integration', file: 'strikes/claiming', title: 'a buyer gets nothing, also when units are free for long' },
  ),
  one(
    'a payment that the provider never offered counts against the buyer',
    { file: 'core/postgres/orders/end-orders.ts', find: "THEN 'provider_failed' ELSE", replace: "THEN 'unpaid' ELSE" },
    {
      kind: 'integration',
      file: 'strikes/provider-failed',
      title: 'a payment that the provider did not offer is no strike',
    },
  ),
  one(
    'a click in the last seconds blames the provider',
    {
      file: 'core/postgres/orders/end-orders.ts',
      find: 'p.created_at <= clock_timestamp() -',
      replace: 'p.created_at <= clock_timestamp() +',
    },
    {
      kind: 'integration',
      file: 'strikes/provider-failed',
      title: 'a click in the last seconds leaves the provider no time, and is one',
    },
  ),
  one(
    'late money that goes back leaves the strike',
    { file: lua('set-reason'), find: 'strikes = math.max(0, strikes - 1)', replace: 'strikes = strikes' },
    { kind: 'integration', file: 'strikes/provider-failed', title: 'late money that goes back takes its strike back' },
  ),
  one(
    'the next claim of a buyer forgets the ends before it',
    {
      file: lua('include/record'),
      find: 'nil, nil, nil, strikes_of(before), group)',
      replace: 'nil, nil, nil, nil, group)',
    },
    { kind: 'integration', file: 'strikes/claiming', title: 'stays with the next claim, and counts with it' },
  ),
  one(
    'a wrong number of ends without payment in Redis is never found',
    {
      file: 'core/comparison/compare.ts',
      find: '(claim?.strikes ?? 0) === (order.strikes ?? 0) ?',
      replace: '(claim?.strikes ?? 0) >= 0 ?',
    },
    {
      kind: 'integration',
      file: 'strikes/keeping',
      title: 'by Postgres: a number that Redis has lost is found and repaired',
    },
  ),
];
