#!lua
-- Restores an entry that Redis lost, from its buyer's signed receipt. After the order was made, the buyer goes to the end of the line,
-- and a worker moves them to their lot (move-ticket.lua).
--
-- KEYS[1] sale  KEYS[2] stock  KEYS[3] claims  KEYS[4] standby
-- ARGV[1] buyer  ARGV[2] number of the entry
-- Returns {verdict} of the fence (include/fence.lua: was the sale compared with Postgres in this run of Redis?) unless it is
--         'ok', else {'ok', 1 if Redis had lost the entry, else 0}
-- @include fence
-- @include marks
-- @include window
-- @include changes
-- @include strikes
-- @include joining

local verdict = fence(KEYS[1])
if verdict ~= 'ok' then return { verdict } end
local key = entries_key(KEYS[1])
local sale = redis.call('HMGET', KEYS[1], 'draw', 'entrySeq')
if not sale[1] or redis.call('HEXISTS', key, ARGV[1]) == 1 then return { 'ok', 0 } end
local is_claimed = redis.call('HEXISTS', KEYS[3], ARGV[1]) == 1
redis.call('ZCARD', KEYS[4])

redis.call('HSET', key, ARGV[1], ARGV[2])
if tonumber(ARGV[2]) > tonumber(sale[2]) then redis.call('HSET', KEYS[1], 'entrySeq', ARGV[2]) end
if not is_claimed then
  -- The buyer may have joined again, behind the entries.
  if sale[1] == 'joining' then redis.call('ZADD', KEYS[4], ARGV[2], ARGV[1])
  else redis.call('ZADD', KEYS[4], 'NX', redis.call('HINCRBY', KEYS[1], 'standbySeq', 1), ARGV[1]) end
  tell_joined(ARGV[1])
end
note_entry(KEYS[1], ARGV[1])
tell_line(KEYS[1], KEYS[4], KEYS[2])
return { 'ok', 1 }
