-- A strike is an end without payment for which the buyer is responsible (core/rules/order.ts). Only sales with a limit of them count
-- strikes. A buyer with strikes gets a unit after everybody without one, and after as many as the limit none at all.
-- On standby such buyers are behind all others: their tickets begin with STRUCK_FROM, above those of latecomers (include/joining.lua). The
-- standby cap and the count of those who wait are about the others. A free unit is theirs only after everybody else who
-- clicks could have taken it for some seconds. The field `freeAtMs` says since when a unit is free.
local STRUCK_FROM, TICKETS, STRUCK_AFTER_MAX_MS = 6755399441055744, 4503599627370496, 10000

-- Counts the buyers on standby without strikes.
local function others_waiting(standby_key)
  return redis.call('ZCOUNT', standby_key, '-inf', '(' .. string.format('%.0f', STRUCK_FROM))
end

-- Draws the next ticket of a buyer with strikes: all joining buyers of a sale draw from one counter.
local function struck_ticket(sale_key)
  local number = redis.call('HINCRBY', sale_key, 'standbySeq', 1)
  return STRUCK_FROM + number % TICKETS
end

-- Returns the last number that a buyer on standby has drawn, or 0, as a text.
local function last_number(standby_key)
  local others = redis.call('ZRANGE', standby_key, '(' .. string.format('%.0f', STRUCK_FROM), '-inf', 'BYSCORE', 'REV', 'LIMIT', 0, 1, 'WITHSCORES')
  local last = redis.call('ZRANGE', standby_key, -1, -1, 'WITHSCORES')
  local struck = math.max(0, tonumber(last[2] or 0) - STRUCK_FROM)
  return string.format('%.0f', math.max(tonumber(others[2] or 0), struck))
end

-- Notes that units are free from now on, if none was before.
local function note_free(sale_key, free_before, now)
  if free_before == 0 then redis.call('HSET', sale_key, 'freeAtMs', string.format('%.0f', now)) end
end

-- Returns the time in ms until a buyer with strikes may take a free unit.
local function struck_wait(sale_key, now)
  local sale = redis.call('HMGET', sale_key, 'freeAtMs', 'retryPayWithinSeconds', 'payWithinSeconds')
  local after = math.min(STRUCK_AFTER_MAX_MS, 1000 * tonumber(sale[2] or sale[3]))
  return math.max(0, tonumber(sale[1] or 0) + after - now)
end
