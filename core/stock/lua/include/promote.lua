-- Gives one free unit to the first on standby: takes them out of the line, writes their claim and its outbox entry.
-- Returns {buyer, claimId, unit}, or nil when nobody waits.
local function promote(keys, unit, claim_id, now)
  local first = redis.call('ZPOPMIN', keys.standby)[1]
  if not first then return nil end
  redis.call('HSET', keys.claims, first, format(claim_id, unit, 'queued'))
  redis.call('ZADD', keys.outbox, now, first)
  return { first, claim_id, unit }
end
