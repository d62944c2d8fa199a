-- Writes into the registry of the sale's bucket which generation Redis has, so that a worker need not ask every sale.
local function register(sale_key)
  local bucket, sale = bucket_of(sale_key)
  if bucket then redis.pcall('HSET', bucket .. ':sales', sale, redis.call('HGET', sale_key, 'generation') or 0) end
end

-- Returns the latest generation of a sale that Redis knows; it counts an operator's changes. A new state arrives before
-- the rest of its generation (core/redis/sale/sale.ts), and an older change must undo neither.
local function latest_generation(sale_key)
  local told = redis.call('HMGET', sale_key, 'generation', 'stateGeneration')
  return math.max(tonumber(told[1] or 0), tonumber(told[2] or 0))
end
