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

local verdict = fence(KEYS[1])
if verdict ~= 'ok' then return { verdict } end
local was_free = redis.call('LLEN', KEYS[2]) > 0

local units = tonumber(redis.call('HGET', KEYS[1], 'units'))
local last = math.min(tonumber(ARGV[1]), units + 5000)
for unit = units + 1, last do redis.call('RPUSH', KEYS[2], unit) end
if last <= units then return { 'ok', 0 } end
local cap = ARGV[2] + (redis.call('HGET', KEYS[1], 'entered') or 0)
-- From now on, buyers with strikes wait for the others (include/strikes.lua).
local free_at = was_free and {} or { 'freeAtMs', now_ms() }
redis.call('HSET', KEYS[1], 'units', last, 'standbyCap', string.format('%.0f', cap), unpack(free_at))
publish(KEYS[1], redis.call('LLEN', KEYS[2]), '-')
return { 'ok', last - units }
