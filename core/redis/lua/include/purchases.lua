-- What one buyer may do across sales, for sales that ask for it: one purchase at a time, and a pause between two.
-- Their keys belong to the buyer, not to the sale, so they have another hash tag: not for Redis Cluster (openSale refuses it).
-- None of these calls fails on a key of another type, so they may come after a write.

-- The lock outlives the time to pay by this much, in ms: placing an order may take 15 s when something fails, expiring it as long.
local LOCK_MARGIN_MS = 60000

local function purchase_key(buyer) return 'dropline:purchase:{' .. buyer .. '}' end
local function interval_key(buyer) return 'dropline:interval:{' .. buyer .. '}' end

-- The rules of a sale, or nil when it has none: then nothing here is ever called.
local function purchase_rules(sale_key)
  local rules = redis.call('HMGET', sale_key, 'onePurchaseAtATime', 'minSecondsBetweenPurchases', 'payWithinSeconds')
  local interval_ms = tonumber(rules[2] or 0) * 1000
  if rules[1] ~= '1' and interval_ms == 0 then return nil end
  return { one = rules[1] == '1', interval_ms = interval_ms, lock_ms = tonumber(rules[3]) * 1000 + LOCK_MARGIN_MS }
end

-- nil when the buyer may buy now, else {why, ms to wait}. Asking changes nothing, so a refused try doesn't restart the clock.
local function too_soon(rules, buyer)
  local pause = rules.interval_ms > 0 and redis.call('PTTL', interval_key(buyer)) or -2
  if pause ~= -2 then return { 'interval', pause } end
  local lock = rules.one and redis.call('PTTL', purchase_key(buyer)) or -2
  if lock ~= -2 then return { 'purchase', lock } end
end

-- Locks for a claim, which is the lock's random token. Whoever has a lock already keeps it: that is who was promoted.
local function purchase_began(rules, buyer, claim_id)
  if rules.one then redis.call('SET', purchase_key(buyer), claim_id, 'PX', rules.lock_ms, 'NX') end
  if rules.interval_ms > redis.call('PTTL', interval_key(buyer)) and rules.interval_ms > 0 then
    redis.call('SET', interval_key(buyer), claim_id, 'PX', rules.interval_ms)
  end
end

-- Unlocks, if it is still this claim's lock: when it expired under its owner, it may be another's by now.
local function purchase_over(rules, buyer, claim_id)
  if rules.one and redis.pcall('GET', purchase_key(buyer)) == claim_id then redis.call('DEL', purchase_key(buyer)) end
end
