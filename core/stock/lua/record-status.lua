#!lua flags=allow-oom
-- Writes back where orders stand, each only onto the claim it belongs to and only forward, and takes it from the outbox.
--
-- KEYS[1] sale  KEYS[2] claims  KEYS[3] outbox; two keys of each buyer if the sale has rules about purchases
-- ARGV    buyer, claimId, status, payByMs or '-', reason or '-', ... (1 to 500 five-tuples)
-- Returns {fence} unless the fence is 'ok', else {'ok', outcome, ...}: 1 for each claim the buyer holds, 0 for each other
-- @include fence
-- @include record
-- @include changes
-- @include purchases

local verdict = fence(KEYS[1])
if verdict ~= 'ok' then return { verdict } end
redis.call('ZCARD', KEYS[3])
local rules = purchase_rules(KEYS[1])

local function record_status(buyer, claim_id, status, pay_by, reason)
  local record = redis.call('HGET', KEYS[2], buyer)
  local claim = record and parse(record)
  if not claim or claim.claim_id ~= claim_id then return 0 end
  -- The same rank again is written too: a reason may come or go while a payment is due.
  if RANK[status] >= RANK[claim.status] and is_live(record) then
    local now = format(claim_id, claim.unit, status, pay_by, reason)
    redis.call('HSET', KEYS[2], buyer, now)
    if now ~= record then tell_claim(buyer, now) end
    if rules and status == 'paid' then purchase_over(rules, buyer, claim_id) end
  end
  redis.call('ZREM', KEYS[3], buyer)
  return 1
end

local outcomes = { 'ok' }
for i = 1, #ARGV, 5 do
  outcomes[#outcomes + 1] = record_status(ARGV[i], ARGV[i + 1], ARGV[i + 2], ARGV[i + 3], ARGV[i + 4])
end
if #changes > 0 then publish(KEYS[1], '-', '-') end
return outcomes
