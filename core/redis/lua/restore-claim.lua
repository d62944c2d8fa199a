#!lua
-- Restores a claim that Redis lost, from its order in Postgres or from its buyer's signed receipt. A claim that has ended takes
-- no unit: only its final status is restored, unless the buyer has a newer claim.
--
-- KEYS[1] sale  KEYS[2] stock  KEYS[3] claims  KEYS[4] outbox  KEYS[5] standby
-- ARGV[1] buyer  ARGV[2] claimId  ARGV[3] unit  ARGV[4] status  ARGV[5] payByMs or '-'  ARGV[6] reason or '-'
-- ARGV[7] what went back of a paid order's money, in minor units  ARGV[8] the buyer's strikes, '-' for those that Redis knows
-- ARGV[9] the buyer's group, '-' for none
-- Returns {verdict} of the fence (include/fence.lua: was the sale compared with Postgres in this run of Redis?) unless it is
--         'ok', else {'ok', outcome}:
--         'restored'    'held' Redis has this claim    'other_claim' the buyer has another claim, live or newer
--         'unit_taken' the unit is not in stock (never of a claim that has ended)
-- @include fence
-- @include record
-- @include window
-- @include marks
-- @include changes
-- @include purchases
-- @include strikes
-- @include groups

local verdict = fence(KEYS[1])
if verdict ~= 'ok' then return { verdict } end
redis.call('ZCARD', KEYS[4])
redis.call('ZCARD', KEYS[5])

local record = redis.call('HGET', KEYS[3], ARGV[1])
local restored = format(ARGV[2], ARGV[3], ARGV[4], ARGV[5], ARGV[6], tonumber(ARGV[7]),
  tonumber(ARGV[8]) or strikes_of(record), ARGV[9] ~= '-' and ARGV[9] or nil)
local has_ended = not is_live(restored)
if record then
  local claim = parse(record)
  if claim.claim_id == ARGV[2] then return { 'ok', 'held' } end
  -- Claim ids grow with time, so a greater id belongs to a newer claim.
  if is_live(record) or has_ended and claim.claim_id > ARGV[2] then return { 'ok', 'other_claim' } end
end
local rules = purchase_rules(KEYS[1])
if has_ended then
  redis.call('HSET', KEYS[3], ARGV[1], restored)
  regroup(KEYS[1], record, restored)
  if rules then purchase_over(rules, ARGV[1], ARGV[2]) end
  tell_claim(ARGV[1], restored)
  publish(KEYS[1], '-', '-')
  return { 'ok', 'restored' }
end
-- LREM is linear in the free units, and rare: claims are restored only after Redis has lost data.
if redis.call('LREM', KEYS[2], 1, ARGV[3]) == 0 then return { 'ok', 'unit_taken' } end
redis.call('HSET', KEYS[3], ARGV[1], restored)
regroup(KEYS[1], record, restored)
if redis.call('ZREM', KEYS[5], ARGV[1]) == 1 then tell_left(ARGV[1]) end
if ARGV[4] == 'queued' then
  redis.call('ZADD', KEYS[4], now_ms(), ARGV[1])
  mark(KEYS[1], 'unplaced', true)
end
if rules and ARGV[4] ~= 'paid' then purchase_began(rules, ARGV[1], ARGV[2]) end
tell_claim(ARGV[1], restored)
publish(KEYS[1], redis.call('LLEN', KEYS[2]), count_ahead(KEYS[5]))
return { 'ok', 'restored' }
