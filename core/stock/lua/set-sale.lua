#!lua flags=allow-oom
-- Changes fields of a loaded sale, so that no half a sale is ever made of a lost one.
--
-- KEYS[1] sale
-- ARGV    field, value, ...
-- Returns 1, or 0 when the sale isn't loaded
if redis.call('EXISTS', KEYS[1]) == 0 then return 0 end
redis.call('HSET', KEYS[1], unpack(ARGV))
return 1
