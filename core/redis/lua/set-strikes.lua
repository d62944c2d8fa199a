#!lua flags=allow-oom
-- Sets the strikes of buyers, as their orders in Postgres say, each only while the buyer has the claim and the strikes that were read.
--
-- KEYS[1] sale  KEYS[2] claims
-- ARGV    buyer, claimId, strikes as read, strikes by Postgres, ... (1 to 500 four-tuples)
-- Returns {verdict} of the fence (include/fence.lua: was the sale compared with Postgres in this run of Redis?) unless it is
--         'ok', else {'ok', 1 if the strikes were set, else 0, ...}
-- @include fence
-- @include record
-- @include marks
-- @include window
-- @include changes

local verdict = fence(KEYS[1])
if verdict ~= 'ok' then return { verdict } end

local outcomes = { 'ok' }
for i = 1, #ARGV, 4 do
  local buyer, claim_id, seen, strikes = unpack(ARGV, i, i + 3)
  local record = redis.call('HGET', KEYS[2], buyer)
  local claim = record and parse(record)
  local is_as_read = claim and claim.claim_id == claim_id and strikes_of(record) == tonumber(seen)
  if is_as_read then
    local words = { refunded = refunded_of(record), strikes = tonumber(strikes) }
    local told = format(claim_id, claim.unit, claim.status, claim.pay_by, claim.reason, words)
    redis.call('HSET', KEYS[2], buyer, told)
    tell_claim(buyer, told)
  end
  outcomes[#outcomes + 1] = is_as_read and 1 or 0
end
if #changes > 0 then publish(KEYS[1], '-', '-') end
return outcomes
