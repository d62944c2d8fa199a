#!lua flags=allow-oom
-- Changes fields of a sale that is loaded in Redis. Idempotent.
-- A sale that Redis lost is not created, as it would be incomplete.
--
-- KEYS[1] sale
-- ARGV[1] the generation of the values (it counts an operator's changes of the sale), '-' for values without one
-- ARGV[2...] field, value, ...
-- Returns 1; 0 when the sale is not loaded; 2 when the sale has a later generation: then nothing changed
-- @include fence
-- @include marks
-- @include window
-- @include changes
-- @include generation
if redis.call('EXISTS', KEYS[1]) == 0 then return 0 end
if ARGV[1] ~= '-' and latest_generation(KEYS[1]) > tonumber(ARGV[1]) then return 2 end
local changed = false
for i = 2, #ARGV, 2 do
  changed = changed or redis.call('HGET', KEYS[1], ARGV[i]) ~= ARGV[i + 1]
end
if not changed then return 1 end
-- While a sale is paused or its gate shut, nobody can take its units: buyers with strikes wait from now on (include/strikes.lua).
redis.call('HSET', KEYS[1], 'freeAtMs', now_ms(), unpack(ARGV, 2))
register(KEYS[1])
publish(KEYS[1], '-', '-', fence(KEYS[1]) ~= 'ok' and 'unverified' or nil)
return 1
