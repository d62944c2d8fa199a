-- The most buyers whose groups have all of their units that one promotion passes: a few ms. A later one passes the next ones.
local PASSED_MAX = 500

-- Takes the first buyer out of standby who may have a unit. Those before, whose groups have all of their units (groups.lua), leave it.
-- Returns the buyer and the group, nil without one.
local function take_first(keys)
  local key = groups_key(keys.sale)
  for _ = 1, PASSED_MAX do
    local first = redis.call('ZPOPMIN', keys.standby)[1]
    local group = first and keys.per_group > 0 and redis.call('HGET', key, 'w:' .. first)
    if group then redis.call('HDEL', key, 'w:' .. first) end
    if not first or not group or not has_all(key, group, keys.per_group) then return first, group or nil end
    tell_left(first)
  end
end

-- Gives one free unit to the first buyer on standby: removes the buyer from standby, writes claim and outbox entry. Buyers with strikes
-- (strikes.lua) stand behind all others.
-- Returns {buyer, claimId, unit}, or nil when nobody on standby may have it. Purchase rules (purchases.lua) were checked when the
-- buyer joined standby.
local function promote(keys, unit, claim_id, now, rules)
  local first, group = take_first(keys)
  if not first then return nil end
  local before = redis.call('HGET', keys.claims, first)
  claim_id = id_start(time_after(now, before)) .. string.sub(claim_id, 14)
  local record = format_new(claim_id, unit, before, group)
  redis.call('HSET', keys.claims, first, record)
  if keys.per_group > 0 then regroup(keys.sale, before, record) end
  redis.call('ZADD', keys.outbox, now, first)
  if rules then purchase_began(rules, first, claim_id) end
  tell_left(first)
  tell_claim(first, record)
  return { first, claim_id, unit }
end
