#!lua flags=allow-oom
-- Corrects how many orders of a buyer ended without payment (include/strikes.lua), on the claim that the buyer has or had last.
--
-- KEYS[1] sale  KEYS[2] claims
-- ARGV[1] buyer  ARGV[2] claimId  ARGV[3] the strikes that were read on it  ARGV[4] the right number
-- Returns {verdict} of the fence (include/fence.lua: was the sale compared with Postgres in this run of Redis?) unless it is
--         'ok', else {'ok', 1}, or {'ok', 0} when the buyer has another claim, or the number has changed since
-- @include fence
-- @include record
-- @include marks
-- @include window
-- @include changes
-- @include groups

local verdict = fence(KEYS[1])
if verdict ~= 'ok' then return { verdict } end

local record = redis.call('HGET', KEYS[2], ARGV[1])
local claim = record and parse(record)
if not claim or claim.claim_id ~= ARGV[2] or strikes_of(record) ~= tonumber(ARGV[3]) then return { 'ok', 0 } end
local right = format(claim.claim_id, claim.unit, claim.status, claim.pay_by, claim.reason, refunded_of(record), tonumber(ARGV[4]),
  group_of(record))
redis.call('HSET', KEYS[2], ARGV[1], right)
regroup(KEYS[1], record, right)
tell_claim(ARGV[1], right)
publish(KEYS[1], '-', '-')
return { 'ok', 1 }
