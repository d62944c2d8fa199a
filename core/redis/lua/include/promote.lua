-- Gives one free unit to the first buyer on standby: removes the buyer from standby, writes claim and outbox entry. Buyers with strikes
-- (strikes.lua) stand behind all others.
-- Returns {buyer, claimId, unit}, or nil when standby is empty. Purchase rules (purchases.lua) were checked when the
-- buyer joined standby.
local function promote(keys, unit, claim_id, now, rules)
  local first = redis.call('ZPOPMIN', keys.standby)[1]
  if not first then return nil end
  local before = redis.call('HGET', keys.claims, first)
  claim_id = id_start(time_after(now, before)) .. string.sub(claim_id, 14)
  local record = format_new(claim_id, unit, before)
  redis.call('HSET', keys.claims, first, record)
  redis.call('ZADD', keys.outbox, now, first)
  if rules then purchase_began(rules, first, claim_id) end
  tell_left(first)
  tell_claim(first, record)
  return { first, claim_id, unit }
end
