#!lua
-- Moves buyers of a line to their lots, as far as they are in it. Their entries came back after the order was made.
--
-- KEYS[1] sale  KEYS[2] standby
-- ARGV    lot, buyer, ... (1 to 500 pairs)
-- Returns {verdict} of the fence (include/fence.lua: was the sale compared with Postgres in this run of Redis?) unless it is
--         'ok', else {'ok'}
-- @include fence
-- @include marks
-- @include window
-- @include changes

local verdict = fence(KEYS[1])
if verdict ~= 'ok' then return { verdict } end
redis.call('ZADD', KEYS[2], 'XX', unpack(ARGV))
for i = 2, #ARGV, 2 do
  if redis.call('ZSCORE', KEYS[2], ARGV[i]) then tell_joined(ARGV[i]) end
end
if #changes > 0 then publish(KEYS[1], '-', '-') end
return { 'ok' }
