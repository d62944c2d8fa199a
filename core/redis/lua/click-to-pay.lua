#!lua flags=allow-oom
-- Writes that a buyer asks to pay an order, with the time by Redis's clock, if that is before the order's deadline.
--
-- KEYS[1] sale  KEYS[2] claims  KEYS[3] pay clicks
-- ARGV    buyer
-- Returns {verdict} of the fence (include/fence.lua: was the sale compared with Postgres in this run of Redis?) unless it is
--         'ok', else {'ok', record, counts}: the record of the buyer's claim, '' for none, and 1 if the buyer asked in time
-- @include fence
-- @include record
-- @include window
-- @include marks

local verdict = fence(KEYS[1])
if verdict ~= 'ok' then return { verdict } end

local record = redis.call('HGET', KEYS[2], ARGV[1])
local claim = record and parse(record)
if not claim or claim.status ~= 'pending_payment' then return { 'ok', record or '', 0 } end
local click = claim.claim_id .. ' ' .. ARGV[1]
local now = now_ms()
if now < tonumber(claim.pay_by) then
  redis.call('ZADD', KEYS[3], string.format('%.0f', now), click)
  mark(KEYS[1], 'clicked', true)
  return { 'ok', record, 1 }
end
-- An earlier click was in time, and nobody has decided about it.
return { 'ok', record, redis.call('ZSCORE', KEYS[3], click) and 1 or 0 }
