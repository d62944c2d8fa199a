#!lua flags=allow-oom
-- Adds a reason, which the buyer sees, to a claim that has ended, such as the refund of a payment that came too late. Such an end is no
-- strike any more.
--
-- KEYS[1] sale  KEYS[2] claims
-- ARGV[1] buyer  ARGV[2] claimId  ARGV[3] reason
-- Returns {verdict} of the fence (include/fence.lua: was the sale compared with Postgres in this run of Redis?) unless it is
--         'ok', else {'ok', 1}, or {'ok', 0} when the buyer has another claim or a live one
-- @include fence
-- @include record
-- @include marks
-- @include window
-- @include changes
-- @include strikes
-- @include groups

local verdict = fence(KEYS[1])
if verdict ~= 'ok' then return { verdict } end

local record = redis.call('HGET', KEYS[2], ARGV[1])
local claim = record and parse(record)
if not claim or claim.claim_id ~= ARGV[2] or is_live(record) then return { 'ok', 0 } end
local strikes = strikes_of(record)
if STRIKING[claim.reason] and not STRIKING[ARGV[3]] then strikes = math.max(0, strikes - 1) end
local told = format(claim.claim_id, claim.unit, claim.status, claim.pay_by, ARGV[3], nil, strikes, group_of(record))
if told == record then return { 'ok', 1 } end
redis.call('HSET', KEYS[2], ARGV[1], told)
regroup(KEYS[1], record, told)
tell_claim(ARGV[1], told)
publish(KEYS[1], '-', '-')
return { 'ok', 1 }
