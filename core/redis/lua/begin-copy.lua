#!lua flags=allow-oom
-- Begins a rebuild, which copies a sale (core/maintenance/rebuild.ts). The scripts of a verified sale note from now on which
-- buyers change. The gate of any other sale gets the token of the rebuild, and stays shut.
--
-- KEYS[1] sale
-- ARGV[1] a token of the rebuild  ARGV[2] the lifetime of the note, in s
-- Returns 'missing' when the sale is not loaded, 'shut' when its gate is, else 'open'
-- @include fence
-- @include marks
-- @include window
-- @include changes
local verdict = fence(KEYS[1])
if verdict == 'unknown_sale' then return 'missing' end
if verdict == 'ok' then
  -- Scripts of earlier versions count their changes and note none: shut-gate.lua compares the counts.
  local version = redis.call('HGET', KEYS[1], 'version')
  redis.call('HSET', KEYS[1], 'copying', ARGV[1], 'copyFrom', version, 'copyNoted', 0)
  redis.call('SADD', copied_key(KEYS[1], ARGV[1]), ARGV[1])
  redis.call('EXPIRE', copied_key(KEYS[1], ARGV[1]), ARGV[2])
  return 'open'
end
redis.call('HSET', KEYS[1], 'runId', ARGV[1])
publish(KEYS[1], '-', '-', 'unverified')
return 'shut'
