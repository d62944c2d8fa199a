-- Returns the latest generation of a sale that Redis knows; it counts an operator's changes. A new state arrives before
-- the rest of its generation (core/redis/sale/sale.ts), and an older change must undo neither.
local function latest_generation(sale_key)
  local told = redis.call('HMGET', sale_key, 'generation', 'stateGeneration')
  return math.max(tonumber(told[1] or 0), tonumber(told[2] or 0))
end
