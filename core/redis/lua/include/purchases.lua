-- Purchase rules limit a buyer across all sales: one purchase at a time, and a pause between two. Their keys belong to
-- the buyer and have another hash tag than the sale's keys. On a Redis Cluster they are apart: other nodes may have them, and
-- scripts of their own write them (take-locks.lua). There a claim gets the buyers who may not win as an argument.
-- No function of this file fails on a key of another type, so scripts may call them after a write.

-- Lifetime of a buyer's purchase lock beyond the time to pay, in ms. Under a fault, placing and expiring an order may
-- take 15 s each.
local LOCK_MARGIN_MS = 60000

local function purchase_key(buyer) return 'dropline:purchase:{' .. buyer .. '}' end
local function interval_key(buyer) return 'dropline:interval:{' .. buyer .. '}' end

-- On a Redis Cluster both keys are in the bucket of the buyer, which scripts about locks find in KEYS[1]: each call is about many
-- buyers of one bucket. A sorted set is a reservation, as a claim is about to be made. Its members are 'sale/token', one for
-- each attempt, with the time at which it ends. A text is the id of a claim, as on one Redis.
-- No sale has '@' in its id, so no key of a sale has this name. `rule` is 'purchase' or 'interval'.
local function lock_key(rule, buyer) return string.match(KEYS[1], '^{b%d%d}') .. ':@' .. rule .. ':' .. buyer end

local function type_of(key) return redis.call('TYPE', key).ok end

-- Returns the purchase rules of a sale, or nil if it has none: then no other function of this file is called.
local function purchase_rules(sale_key)
  local rules = redis.call('HMGET', sale_key, 'onePurchaseAtATime', 'minSecondsBetweenPurchases', 'payWithinSeconds', 'locksApart')
  local interval_ms = tonumber(rules[2] or 0) * 1000
  if rules[1] ~= '1' and interval_ms == 0 then return nil end
  local lock_ms = tonumber(rules[3]) * 1000 + LOCK_MARGIN_MS
  return { one = rules[1] == '1', interval_ms = interval_ms, lock_ms = lock_ms, apart = rules[4] == '1' }
end

-- Takes the argument of a claim about locks that are apart: 'untilMs buyer rule ms buyer ...', the time until which the locks of
-- the other buyers certainly stand, and the buyers who may not win. Returns the reply of a claim without such locks; nil if
-- they stand, or are not apart.
local function wanted_locks(rules, locks, now)
  if not rules.apart then return nil end
  local until_ms, refused = string.match(locks or '', '^(%d+)(.*)$')
  if not until_ms or now > tonumber(until_ms) then
    return { 'needs_locks', rules.one and 1 or 0, rules.interval_ms, rules.lock_ms, now }
  end
  rules.refused = {}
  for buyer, rule, ms in string.gmatch(refused, '(%S+) (%S+) (%S+)') do rules.refused[buyer] = { rule, tonumber(ms) } end
end

-- Returns nil when the buyer may buy now, else {rule, ms to wait}. It writes nothing, so a refused attempt does not
-- prolong the wait.
local function too_soon(rules, buyer)
  if rules.apart then return rules.refused[buyer] end
  local pause = rules.interval_ms > 0 and redis.call('PTTL', interval_key(buyer)) or -2
  if pause ~= -2 then return { 'interval', pause } end
  local lock = rules.one and redis.call('PTTL', purchase_key(buyer)) or -2
  if lock ~= -2 then return { 'purchase', lock } end
end

-- Takes the buyer's purchase lock for a claim, whose id is the token, and starts the pause. An existing lock stays: a
-- buyer promoted from standby may hold one for another purchase.
local function purchase_began(rules, buyer, claim_id)
  if rules.apart then return end
  if rules.one then redis.call('SET', purchase_key(buyer), claim_id, 'PX', rules.lock_ms, 'NX') end
  if rules.interval_ms > redis.call('PTTL', interval_key(buyer)) and rules.interval_ms > 0 then
    redis.call('SET', interval_key(buyer), claim_id, 'PX', rules.interval_ms)
  end
end

-- Releases the buyer's purchase lock if this claim still holds it: after it expired, another claim may hold it.
local function purchase_over(rules, buyer, claim_id)
  if rules.apart then return end
  if rules.one and redis.pcall('GET', purchase_key(buyer)) == claim_id then redis.call('DEL', purchase_key(buyer)) end
end
