-- The latest generation that Redis has heard of. An operator's state is told before the rest of its generation is there
-- (core/redis/sale/sale.ts), and what is older must undo neither.
local function latest_generation(sale_key)
  local told = redis.call('HMGET', sale_key, 'generation', 'stateGeneration')
  return math.max(tonumber(told[1] or 0), tonumber(told[2] or 0))
end
