-- Strikes: how many orders of a buyer in this sale have ended without payment, by the buyer's own doing. They are a word of the claim's
-- record, and count only in a sale with a limit (`unpaidLimit`). A buyer with that many gets nothing any more. One with fewer gets what
-- everybody without a strike leaves: on standby their tickets begin with STRUCK_FROM, above all others.
local STRUCK_FROM, OTHERS_FIRST_MS = 6755399441055744, 10000

-- The reasons that count (STRIKING_REASONS in core/rules/order.ts has the same ones).
local STRIKING = { unpaid = true, cancelled_by_buyer = true, insufficient_funds = true }

-- Counts the buyers on standby who have no strike.
local function count_ahead(standby_key) return redis.call('ZCOUNT', standby_key, '-inf', '(' .. string.format('%.0f', STRUCK_FROM)) end

-- Returns how a sale treats strikes, nil for a sale without a limit: `left_ms` is the time until buyers with strikes may have units that
-- are free since `free_at`. So everybody else who clicks every few seconds was able to take them.
local function strike_rules(limit, times, now)
  limit = tonumber(limit) or 0
  if limit == 0 then return nil end
  local wait = math.min(OTHERS_FIRST_MS, 1000 * tonumber(times.retry_within or times.pay_within))
  return { limit = limit, left_ms = math.max(tonumber(times.free_at or 0), tonumber(times.opens_at)) + wait - now }
end

-- Returns nil if a buyer may take a free unit at a click, an outcome as in claim.lua, or true for one to whom standby.lua answers. Nobody
-- with strikes passes others on standby who have some, too, nor stands there and takes a unit: strikes may have been taken back meanwhile.
local function held_back(rules, click, line)
  if line.behind > 0 and redis.call('ZSCORE', line.key, click.buyer) then return true end
  if click.strikes == 0 then return nil end
  if click.strikes >= rules.limit or line.behind > 0 then return true end
  return rules.left_ms > 0 and { 'others_first', rules.left_ms } or nil
end
