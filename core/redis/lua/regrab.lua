#!lua
-- Takes a unit again for a buyer whose payment arrived after the order had ended. As for a new click, the sale must be open, a
-- unit free, standby empty, and room in the buyer's group. Idempotent: the same new claim gets the same unit.
--
-- KEYS[1] sale  KEYS[2] stock  KEYS[3] claims  KEYS[4] outbox  KEYS[5] standby
-- ARGV[1] buyer  ARGV[2] the claim that ended  ARGV[3] the new claim
-- Returns {verdict} of the fence (include/fence.lua: was the sale compared with Postgres in this run of Redis?) unless it is
--         'ok', else {'ok', outcome}:
--         n > 0  unit n is the buyer's, under the new claim; the buyer's group follows, if there is one
--          'not_open'  'sold_out'
--         'other_claim' the buyer has another live claim
--         'ended' the new claim has ended    'not_released' the release of the old claim is in flight: retry after it
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

local sale = redis.call('HMGET', KEYS[1], 'state', 'opensAtMs', 'closesAtMs', 'draw', 'perGroup')
local now = now_ms()
local on_standby = redis.call('ZCARD', KEYS[5])
local free = redis.call('LLEN', KEYS[2])
redis.call('ZCARD', KEYS[4])

local record = redis.call('HGET', KEYS[3], ARGV[1])
local claim = record and parse(record)
if claim and claim.claim_id == ARGV[3] then
  return { 'ok', is_live(record) and tonumber(claim.unit) or 'ended', group_of(record) }
end
if claim and is_live(record) then
  return { 'ok', claim.claim_id == ARGV[2] and 'not_released' or 'other_claim' }
end
if refusal(sale[1], sale[2], sale[3], now, sale[4]) ~= '' then return { 'ok', 'not_open' } end
if free == 0 or on_standby > 0 then return { 'ok', 'sold_out' } end
local group, per_group = group_of(record), tonumber(sale[5]) or 0
if group and per_group > 0 and has_all(groups_key(KEYS[1]), group, per_group) then return { 'ok', 'sold_out' } end

local unit = redis.call('LPOP', KEYS[2])
local taken = format_new(ARGV[3], unit, record, group)
redis.call('HSET', KEYS[3], ARGV[1], taken)
regroup(KEYS[1], record, taken)
redis.call('ZADD', KEYS[4], now, ARGV[1])
mark(KEYS[1], 'unplaced', true)
-- The buyer has paid, so the purchase rules are not checked again: they were checked for the first claim.
local rules = purchase_rules(KEYS[1])
if rules then purchase_began(rules, ARGV[1], ARGV[3]) end
tell_claim(ARGV[1], taken)
publish(KEYS[1], free - 1, 0)
return { 'ok', tonumber(unit), group }
