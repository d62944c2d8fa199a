#!lua flags=allow-oom
-- Removes a buyer from a sale's standby, the list of buyers who wait for a unit to come back.
--
-- KEYS[1] sale  KEYS[2] standby
-- ARGV[1] buyer
-- Returns {verdict} of the fence (include/fence.lua: was the sale compared with Postgres in this run of Redis?) unless it is
--         'ok', else {'ok', 1 if the buyer was on standby, else 0}
-- @include fence
-- @include marks
-- @include window
-- @include changes
-- @include strikes
-- @include joining

local verdict = fence(KEYS[1])
if verdict ~= 'ok' then return { verdict } end
if redis.call('ZREM', KEYS[2], ARGV[1]) == 0 then return { 'ok', 0 } end
if redis.call('HEXISTS', entries_key(KEYS[1]), ARGV[1]) == 1 then note_entry(KEYS[1], ARGV[1]) end
tell_left(ARGV[1])
publish(KEYS[1], '-', count_ahead(KEYS[2]))
return { 'ok', 1 }
