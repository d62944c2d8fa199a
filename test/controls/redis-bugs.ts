import { type Bug, lua, one } from './bug.js';

/** Bugs in the scripts of Redis and in its connection. */
export const REDIS_BUGS: Bug[] = [
  one(
    'sold out leaves the buyer marked (S4)',
    {
      file: lua('include/clicks/standby'),
      find: '>= line.cap then return 0 end',
      replace: ">= line.cap then redis.call('HSET', KEYS[3], buyer, format('x', 1, 'rejected')) return 0 end",
    },
    { kind: 'integration', file: 'scripts/claim', title: 'a refused click leaves no trace' },
  ),
  one(
    'the same buyer twice in a batch wins twice',
    { file: lua('claim'), find: 'elseif seen[buyer] then', replace: 'elseif false then' },
    { kind: 'integration', file: 'scripts/claim', title: 'the same buyer twice in a batch wins once' },
  ),
  one(
    'the claim script writes no outbox entry',
    { file: lua('claim'), find: "  redis.call('ZADD', KEYS[4], unpack(entries))\n", replace: '' },
    { kind: 'integration', file: 'scripts/claim', title: 'a win is a queued claim, and an entry in the outbox' },
  ),
  one(
    'no fence: a restarted Redis sells unseen',
    {
      file: lua('include/fence'),
      find: "  if verified ~= string.match(redis.call('INFO', 'server'), 'run_id:(%w+)') then return 'unverified' end\n",
      replace: '',
    },
    {
      kind: 'integration',
      file: 'scripts/claim',
      title: 'a sale that was verified for another run of Redis',
    },
  ),
  one(
    'a sale sells after its end',
    {
      file: lua('include/window'),
      find: "if state == 'closed' or now >= tonumber(closes_at)",
      replace: "if state == 'closed'",
    },
    { kind: 'integration', file: 'scripts/claim', title: 'a sale opens and closes by the clock of Redis' },
  ),
  one(
    'release without comparing the claim id (F44)',
    {
      file: lua('release'),
      find: 'if not claim or claim.claim_id ~= claim_id or not is_live(record)',
      replace: 'if not claim or not is_live(record)',
    },
    {
      kind: 'integration',
      file: 'scripts/release',
      title: 'the release of an old claim leaves the buyer’s new claim alone',
    },
  ),
  one(
    'a second release puts the unit back again (F43)',
    { file: lua('release'), find: ' or not is_live(record) then return 0', replace: ' then return 0' },
    { kind: 'integration', file: 'scripts/release', title: 'a second release does nothing' },
  ),
  one(
    'release refused when memory is full (F45)',
    { file: lua('release'), find: '#!lua flags=allow-oom', replace: '#!lua' },
    { kind: 'integration', file: 'scripts/release', title: 'a full Redis still takes units back' },
  ),
  one(
    'statuses move backward',
    {
      file: lua('record-status'),
      find: 'if RANK[status] >= RANK[claim.status] and is_live(record) then',
      replace: 'if true then',
    },
    { kind: 'integration', file: 'scripts/record-status', title: 'recording where an order stands' },
  ),
  one(
    'a Redis that can not save counts as a defect instead of an outage (F06)',
    { file: 'core/redis/connection.ts', find: '|MISCONF|', replace: '|' },
    { kind: 'integration', file: 'api-faults/error-replies', title: 'MISCONF' },
  ),
  one(
    'an addition of a later version to a claim record breaks this one (F58)',
    { file: lua('include/record'), find: "(%S+) (%S+) (%S+)'", replace: "(%S+) (%S+) (%S+)$'" },
    {
      kind: 'integration',
      file: 'scripts/two-versions',
      title: 'an additional word at the end of a claim record is ignored',
    },
  ),
  one(
    'a clock of Redis that was set back orders the claims of a buyer',
    {
      file: lua('claim'),
      find: 'time_after(time, records[i])',
      replace: 'time',
    },
    {
      kind: 'integration',
      file: 'scripts/claim',
      title: 'a later claim has the greater id, even if the clock of Redis was set back',
    },
  ),
  one(
    'the clicks to pay are read before the time of the answer',
    {
      file: 'core/redis/claims/pay-click.ts',
      find: `    .time()
    .zmscore(payClicksKeyOf(saleId), ...orders.map(memberOf))
    // It comes last, and fails when the keys were moved before.
    .hlen(registryKeyOf(saleId))
    .exec()
    .then(repliesOf<[[string, string], (string | null)[]]>)
    .catch(refuseMoved);
  const [time, scores] = replies;
`,
      replace: `    .zmscore(payClicksKeyOf(saleId), ...orders.map(memberOf))
    .time()
    .hlen(registryKeyOf(saleId))
    .exec()
    .then(repliesOf<[(string | null)[], [string, string]]>)
    .catch(refuseMoved);
  const [scores, time] = replies;
`,
    },
    {
      kind: 'integration',
      file: 'scripts/claims/pay-click',
      title: 'a click that is missing from an answer came after the time of the answer',
    },
  ),
];
