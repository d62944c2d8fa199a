#!lua flags=allow-oom
-- Shuts the gate of a sale that a rebuild has copied: every script refuses, and nothing changes any more.
--
-- KEYS[1] sale
-- ARGV[1] the token of the rebuild (begin-copy.lua)
-- Returns 1; 2 when a script of an earlier version has changed the sale and noted nothing: all must be copied again;
--         0 when another rebuild has begun since, or the note of the changed buyers is gone: then nothing changed
-- @include marks
-- @include window
-- @include changes
if redis.call('HGET', KEYS[1], 'runId') == ARGV[1] then return 1 end
if redis.call('HGET', KEYS[1], 'copying') ~= ARGV[1] then return 0 end
if redis.call('EXISTS', copied_key(KEYS[1], ARGV[1])) == 0 then return 0 end
local counts = redis.call('HMGET', KEYS[1], 'version', 'copyFrom', 'copyNoted')
local is_noted = tonumber(counts[1]) - tonumber(counts[2]) == tonumber(counts[3])
redis.call('HSET', KEYS[1], 'runId', ARGV[1])
publish(KEYS[1], '-', '-', 'unverified')
return is_noted and 1 or 2
