#!lua flags=allow-oom
-- Records the statuses of orders on their claims, and removes these claims from the outbox. A status never moves backward.
--
-- KEYS[1] sale  KEYS[2] claims  KEYS[3] outbox; two keys of each buyer if the sale has rules about purchases
-- ARGV[1] 'buyer claimId status payByMs reason refunded buyer ...', '-' for none (1 to 500 six-tuples; as in claim.lua, one
--         argument); refunded is what went back of a paid order's money, in minor units, and never sinks
-- Returns {verdict} of the fence (include/fence.lua: was the sale compared with Postgres in this run of Redis?) unless it is
--         'ok', else {'ok', outcome, ...}: 1 for each claim the buyer holds, 0 for each other; 2 for a held one whose purchase is
--         over, if the locks of buyers are on other nodes (include/purchases.lua): the caller gives its lock back
-- @include fence
-- @include record
-- @include marks
-- @include window
-- @include changes
-- @include groups
-- @include purchases

local verdict = fence(KEYS[1])
if verdict ~= 'ok' then return { verdict } end
redis.call('ZCARD', KEYS[3])
local rules = purchase_rules(KEYS[1])

-- HMGET, HSET and ZREM are each called once, whatever the size of the batch.
local buyers, updates, records = {}, {}, {}
for buyer, claim_id, status, pay_by, reason, refunded in string.gmatch(ARGV[1], '(%S+) (%S+) (%S+) (%S+) (%S+) (%S+)') do
  buyers[#buyers + 1] = buyer
  updates[#updates + 1] = { claim_id, status, pay_by, reason, tonumber(refunded) or 0 }
end
for n, record in ipairs(redis.call('HMGET', KEYS[2], unpack(buyers))) do records[buyers[n]] = record end
local claims, placed = {}, {}

local function record_status(buyer, claim_id, status, pay_by, reason, refunded)
  local record = records[buyer]
  local claim = record and parse(record)
  if not claim or claim.claim_id ~= claim_id then return 0 end
  placed[#placed + 1] = buyer
  -- An update with the same rank is written again: a reason may come or go while a payment is due.
  if RANK[status] >= RANK[claim.status] and is_live(record) then
    local back = math.max(refunded, refunded_of(record))
    local now = format(claim_id, claim.unit, status, pay_by, reason, back, strikes_of(record), group_of(record))
    records[buyer] = now
    claims[#claims + 1], claims[#claims + 2] = buyer, now
    if now ~= record then
      tell_claim(buyer, now)
      regroup(KEYS[1], record, now)
    end
    if rules and status == 'paid' then purchase_over(rules, buyer, claim_id) end
  end
  return rules and rules.apart and RANK[parse(records[buyer]).status] >= RANK.paid and 2 or 1
end

local outcomes = { 'ok' }
for n, update in ipairs(updates) do outcomes[n + 1] = record_status(buyers[n], unpack(update)) end
if #claims > 0 then redis.call('HSET', KEYS[2], unpack(claims)) end
if #placed > 0 then
  redis.call('ZREM', KEYS[3], unpack(placed))
  mark(KEYS[1], 'unplaced', redis.call('ZCARD', KEYS[3]) > 0)
end
if #changes > 0 then publish(KEYS[1], '-', '-') end
return outcomes
