#!lua
-- Gives the free units of a sale to the first buyers on standby. Called after a restock, at the end of a pause and in repairs.
--
-- KEYS[1] sale  KEYS[2] stock  KEYS[3] claims  KEYS[4] outbox  KEYS[5] standby
-- ARGV    ids for the new claims, one for each buyer to get a unit (1 to 125)
-- Returns {verdict} of the fence (include/fence.lua: was the sale compared with Postgres in this run of Redis?) unless it is
--         'ok', else {'ok', {buyer, claimId, unit}, ...}
-- @include fence
-- @include record
-- @include claim-id
-- @include window
-- @include marks
-- @include changes
-- @include purchases
-- @include strikes
-- @include groups
-- @include promote

local verdict = fence(KEYS[1])
if verdict ~= 'ok' then return { verdict } end

local sale = redis.call('HMGET', KEYS[1], 'state', 'opensAtMs', 'closesAtMs', 'draw', 'perGroup')
local keys = { sale = KEYS[1], claims = KEYS[3], outbox = KEYS[4], standby = KEYS[5], per_group = tonumber(sale[5]) or 0 }
local now = now_ms()
if refusal(sale[1], sale[2], sale[3], now, sale[4]) ~= '' then return { 'ok' } end
-- HLEN and ZCARD check the types of their keys before the first write, as Redis does not roll back a failing script.
redis.call('HLEN', KEYS[3])
redis.call('ZCARD', KEYS[4])

local promoted, rules = { 'ok' }, purchase_rules(KEYS[1])
local free, waiting = redis.call('LLEN', KEYS[2]), redis.call('ZCARD', KEYS[5])
for i = 1, math.min(#ARGV, free, waiting) do
  promoted[i + 1] = promote(keys, redis.call('LINDEX', KEYS[2], 0), ARGV[i], now, rules)
  if not promoted[i + 1] then break end
  redis.call('LPOP', KEYS[2])
end
if #promoted > 1 then mark(KEYS[1], 'unplaced', true) end
-- Buyers whose groups have all of their units have left standby, even if nobody got a unit.
if #changes > 0 then publish(KEYS[1], redis.call('LLEN', KEYS[2]), count_ahead(KEYS[5])) end
return promoted
