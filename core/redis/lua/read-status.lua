#!lua flags=no-writes
-- Reads the claims and standby positions of buyers in a sale at one instant.
--
-- KEYS[1] sale  KEYS[2] claims  KEYS[3] standby
-- ARGV    buyer ids (1 to 256)
-- Returns {verdict} of the fence (include/fence.lua: was the sale compared with Postgres in this run of Redis?) unless it is
--         'ok', else {'ok', status, ...}, a status for each buyer:
--         string  the record of the claim, '' for none
--         {position, record or '', number of the entry or 0}  on standby, without a live claim; position 0 in a line whose order is
--         not made yet (include/joining.lua)
-- @include fence
-- @include record
-- @include marks
-- @include window
-- @include changes
-- @include strikes
-- @include joining

local verdict = fence(KEYS[1])
if verdict ~= 'ok' then return { verdict } end

local records = redis.call('HMGET', KEYS[2], unpack(ARGV))
local on_standby = redis.call('ZCARD', KEYS[3]) > 0
local draw = on_standby and redis.call('HGET', KEYS[1], 'draw')
-- A buyer who left before the opening and came again after it stands behind, and not by the entry.
local function number_of(buyer)
  if tonumber(redis.call('ZSCORE', KEYS[3], buyer)) >= LATE_FROM then return 0 end
  return tonumber(redis.call('HGET', entries_key(KEYS[1]), buyer) or 0)
end
local standings = { 'ok' }
for i, buyer in ipairs(ARGV) do
  local record = records[i] or ''
  -- The position of a buyer with a live claim does not matter, so it is not read.
  local rank = on_standby and not (records[i] and is_live(record)) and redis.call('ZRANK', KEYS[3], buyer)
  standings[i + 1] = rank and { draw == 'joining' and 0 or rank + 1, record, draw and number_of(buyer) or 0 } or record
end
return standings
