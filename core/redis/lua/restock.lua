#!lua
-- Adds units to a sale's stock, with the numbers above its last unit, hence idempotent. Also sets the standby cap, the most
-- buyers on standby.
--
-- KEYS[1] sale  KEYS[2] stock
-- ARGV[1] the new number of units of the sale    ARGV[2] its new standby cap, to which the entries of a draw are added
-- Returns {verdict} of the fence (include/fence.lua: was the sale compared with Postgres in this run of Redis?) unless it is
--         'ok', else {'ok', units added (at most 5,000; call again until 0)}
-- @include fence
-- @include marks
-- @include window
-- @include changes
-- @include holding/strikes

local verdict = fence(KEYS[1])
if verdict ~= 'ok' then return { verdict } end
local free = redis.call('LLEN', KEYS[2])

local sale = redis.call('HMGET', KEYS[1], 'units', 'entered', 'unpaidLimit')
local units = tonumber(sale[1])
local last = math.min(tonumber(ARGV[1]), units + 5000)
for unit = units + 1, last do redis.call('RPUSH', KEYS[2], unit) end
if last <= units then return { 'ok', 0 } end
if tonumber(sale[3] or 0) > 0 then note_free(KEYS[1], free, now_ms()) end
local cap = ARGV[2] + (sale[2] or 0)
redis.call('HSET', KEYS[1], 'units', last, 'standbyCap', string.format('%.0f', cap))
publish(KEYS[1], redis.call('LLEN', KEYS[2]), '-')
return { 'ok', last - units }
