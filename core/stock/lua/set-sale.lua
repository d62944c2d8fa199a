#!lua flags=allow-oom
-- Changes fields of a loaded sale, so that no half a sale is ever made of a lost one. Doing it again changes nothing.
--
-- KEYS[1] sale
-- ARGV    field, value, ...
-- Returns 1, or 0 when the sale isn't loaded
-- @include fence
-- @include changes
if redis.call('EXISTS', KEYS[1]) == 0 then return 0 end
local changed = false
for i = 1, #ARGV, 2 do
  changed = changed or redis.call('HGET', KEYS[1], ARGV[i]) ~= ARGV[i + 1]
end
if not changed then return 1 end
redis.call('HSET', KEYS[1], unpack(ARGV))
publish(KEYS[1], '-', '-', fence(KEYS[1]) ~= 'ok' and 'unverified' or nil)
return 1
