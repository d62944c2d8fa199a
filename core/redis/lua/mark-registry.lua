#!lua flags=allow-oom
-- Marks the registry of a bucket as complete for this run of Redis, with the time.
-- The registry is the hash of all sales of the bucket that Redis should know.
-- Refuses when a sale that was compared with Postgres has left the registry since: FLUSHALL does not change the run id.
--
-- KEYS[1] registry
-- ARGV[1] run id  ARGV[2...] the ids of the sales that were compared with Postgres
-- Returns 1, or 0 when one of the sales is not in the registry
-- @include window

-- Lua's stack takes some thousand values at once.
for i = 2, #ARGV, 1000 do
  local ids = { unpack(ARGV, i, math.min(i + 999, #ARGV)) }
  for _, generation in ipairs(redis.call('HMGET', KEYS[1], unpack(ids))) do
    if not generation then return 0 end
  end
end
redis.call('HSET', KEYS[1], '@run', ARGV[1], '@at', now_ms())
return 1
