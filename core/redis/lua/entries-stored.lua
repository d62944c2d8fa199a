#!lua flags=allow-oom
-- Forgets changes of entries that Postgres has stored. An entry that has changed again since stays.
--
-- KEYS[1] sale  KEYS[2] unstored
-- ARGV    change, buyer, ... (1 to 500 pairs)
-- Returns the number of entries that are still to be stored
-- @include marks
for i = 1, #ARGV, 2 do
  if tonumber(redis.call('ZSCORE', KEYS[2], ARGV[i + 1])) == tonumber(ARGV[i]) then redis.call('ZREM', KEYS[2], ARGV[i + 1]) end
end
local left = redis.call('ZCARD', KEYS[2])
mark(KEYS[1], 'entered', left > 0)
return left
