#!lua flags=allow-oom
-- Says that the list of sales is whole for this run of Redis, and when that was found, unless one has gone since it was
-- compared: FLUSHALL may come in the middle of that, and changes no run id.
--
-- KEYS[1] registry
-- ARGV[1] run id  ARGV[2...] the sales that were compared
-- Returns 1, or 0 when one of them is not in the list
-- @include window

for i = 2, #ARGV do
  if redis.call('HEXISTS', KEYS[1], ARGV[i]) == 0 then return 0 end
end
redis.call('HSET', KEYS[1], '@run', ARGV[1], '@at', now_ms())
return 1
