import { type Bug, one } from './bug.js';

/** Bugs in the verdicts that decide the exit codes of our programs. */
export const VERDICT_BUGS: Bug[] = [
  one(
    'a crowd that was sold too many units proves nothing wrong',
    {
      file: 'stack/crowd/reckoning.ts',
      find: 'duplicates + oversold + lost === 0',
      replace: 'duplicates + lost === 0',
    },
    { kind: 'unit', file: 'verdicts/crowd', title: 'does not hold with' },
  ),
  one(
    'the verdict about a crowd is inverted',
    {
      file: 'stack/crowd/reckoning.ts',
      find: 'holds(verdict)) && unanswered === 0 ? 0 : 1',
      replace: 'holds(verdict)) && unanswered === 0 ? 1 : 0',
    },
    { kind: 'integration', file: 'verdicts/reckoning', title: 'a sale that kept every promise, and buyers' },
  ),
  one(
    'answers to buyers are not compared with the orders',
    { file: 'stack/crowd/reckoning.ts', find: '[...untrueAnswers(buyers, orders), ', replace: '[' },
    { kind: 'integration', file: 'verdicts/reckoning', title: 'an accepted claim that has no order' },
  ),
  one(
    'a rehearsal ends with 0 whatever it finds',
    {
      file: 'stack/rehearse.ts',
      find: 'exitCodeOf(verdict, crowd.stages().unanswered ?? 0)',
      replace: 'exitCodeOf(undefined, 0)',
    },
    { kind: 'e2e', file: 'rehearse', title: 'a rehearsal on money that does not add up ends with 1' },
  ),
  one(
    'a run of chaos ends with 0 after a violation',
    {
      file: 'test/chaos/result.ts',
      find: 'result.violations.length === 0 && missedBy(result)',
      replace: 'missedBy(result)',
    },
    { kind: 'unit', file: 'verdicts/chaos', title: 'a violation ends the run with 1' },
  ),
  one(
    'a run of chaos on a Redis Cluster without some of its faults counts as good',
    { file: 'test/chaos/result.ts', find: '([, count]) => count === 0', replace: '([, count]) => count < 0' },
    { kind: 'unit', file: 'verdicts/chaos', title: 'a run of two minutes on a Redis Cluster without the fault' },
  ),
  one(
    'a recovery ends with the first of several sales that sell again',
    { file: 'test/chaos/result.ts', find: 'Math.max(...ofSales)', replace: 'Math.min(...ofSales)' },
    { kind: 'unit', file: 'verdicts/chaos', title: 'the recovery from a fault of some sales lasts until the last' },
  ),
  one(
    'a run of chaos does not read the audit',
    { file: 'test/chaos/verdict.ts', find: "?? ['no such sale']).map(", replace: "?? ['no such sale']).slice(9).map(" },
    { kind: 'integration', file: 'verdicts/chaos', title: 'a sale that is not in Postgres' },
  ),
  one(
    'a crash point that no case reached counts as survived',
    {
      file: 'test/chaos/matrix/matrix-verdict.ts',
      find: 'violations.length > 0 || !reached',
      replace: 'violations.length > 0 && reached',
    },
    { kind: 'unit', file: 'verdicts/matrix', title: 'a crash point that no case reached ends the run with 1' },
  ),
  one(
    'a benchmark calls missed targets met',
    { file: 'bench/report.ts', find: "? 'met' : 'missed'", replace: "? 'missed' : 'met'" },
    { kind: 'unit', file: 'bench/report', title: 'a target that is not reached is missed' },
  ),
  one(
    'a comparison ends with 0 although a promise was missed',
    {
      file: 'bench/against/report.ts',
      find: 'missedBy(compared).length === 0 ? 0 : 1',
      replace: 'missedBy(compared).length >= 0 ? 0 : 1',
    },
    { kind: 'unit', file: 'bench/report', title: 'a missed promise ends the comparison with 1' },
  ),
  one(
    'a fuzz run with findings ends with 0',
    { file: 'test/fuzz/run.ts', find: 'findings.length === 0 ? 0 : 1', replace: 'findings.length >= 0 ? 0 : 1' },
    { kind: 'unit', file: 'verdicts/fuzz', title: 'a run with a finding ends with 1' },
  ),
  one(
    'a simulation with a violation ends with 0',
    { file: 'test/simulation/run.ts', find: 'violations === 0 ? 0 : 1', replace: 'violations >= 0 ? 0 : 1' },
    { kind: 'unit', file: 'verdicts/simulation', title: 'a run with a broken promise tells the first one' },
  ),
  one(
    'an upgrade that refuses buyers for long counts as good',
    { file: 'test/upgrade/refusals.ts', find: 'http >= 500', replace: 'http > 599' },
    { kind: 'unit', file: 'verdicts/upgrade', title: 'of more than 3 s are a violation' },
  ),
  one(
    'a control that only one of its two runs catches counts as caught',
    {
      file: 'test/controls/run/try-bugs.ts',
      find: 'alone.caught && whole.caught',
      replace: 'alone.caught || whole.caught',
    },
    { kind: 'integration', file: 'verdicts/controls', title: 'that was caught' },
  ),
  one(
    'a test that fails in random order is passed over',
    {
      file: 'test/order/order.ts',
      find: "status === 'failed');\n    return",
      replace: "status === 'todo');\n    return",
    },
    { kind: 'unit', file: 'verdicts/order', title: 'a failed test is a failure' },
  ),
  one(
    'chaos lets a buyer hold a unit once more than the limit allows',
    {
      file: 'test/chaos/history/checks/holding.ts',
      find: 'before.length < unpaidLimit)',
      replace: 'before.length <= unpaidLimit)',
    },
    { kind: 'unit', file: 'histories/check-history', title: 'bad histories' },
  ),
  one(
    'chaos looks at no click without a pass',
    {
      file: 'test/chaos/history/checks/holding.ts',
      find: 'needsPass && outcome ===',
      replace: 'needsPass && hasPass && outcome ===',
    },
    { kind: 'unit', file: 'histories/check-history', title: 'bad histories' },
  ),
  one(
    'a run of chaos in which nobody came to the limit counts as good',
    {
      file: 'test/chaos/result.ts',
      find: 'holding[what as keyof HoldingCounts] === 0',
      replace: 'holding[what as keyof HoldingCounts] < 0',
    },
    { kind: 'unit', file: 'verdicts/chaos', title: 'ends the run with 1' },
  ),
  one(
    'chaos does not compare the ends without payment of both stores',
    { file: 'test/chaos/rig/final-audit.ts', find: 'if (sale.unpaidLimit)', replace: 'if (sale.unpaidLimit === -1)' },
    {
      kind: 'integration',
      file: 'verdicts/chaos',
      title: 'an end without payment that Redis does not count',
    },
  ),
];
