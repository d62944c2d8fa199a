#!lua
-- Adds units to a sale's stock, with the numbers above its last unit, hence idempotent. Also sets the standby cap, the most
-- buyers on standby. If the sale has a seed (unitSeed), the new units are in the order of their hashes with it. A rebuild deals all
-- units in the order of sale/dealing.ts.
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

local sale = redis.call('HMGET', KEYS[1], 'units', 'entered', 'unitSeed')
local units, seed = tonumber(sale[1]), sale[3]
local last = math.min(tonumber(ARGV[1]), units + 5000)
if last <= units then return { 'ok', 0 } end
local added, hashes = {}, {}
for unit = units + 1, last do
  added[#added + 1] = unit
  if seed then hashes[unit] = redis.sha1hex(seed .. ' ' .. unit) end
end
if seed then table.sort(added, function(a, b) return hashes[a] < hashes[b] end) end
for _, unit in ipairs(added) do redis.call('RPUSH', KEYS[2], unit) end
local cap = ARGV[2] + (sale[2] or 0)
-- From now on, buyers with strikes wait for the others (include/strikes.lua).
local free_at = was_free and {} or { 'freeAtMs', now_ms() }
redis.call('HSET', KEYS[1], 'units', last, 'standbyCap', string.format('%.0f', cap), unpack(free_at))
publish(KEYS[1], redis.call('LLEN', KEYS[2]), '-')
return { 'ok', last - units }
