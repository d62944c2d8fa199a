-- Marks of sales, in sets of their bucket, so that a worker asks the buckets and not every sale (core/redis/marks.ts). Keys that
-- have no bucket yet have no marks.
-- A script that has written before must not fail here, as Redis does not roll back: hence pcall.
local function mark(key, name, has)
  local bucket, sale = string.match(key, '^({b%d%d}):([^:]+):')
  if bucket then redis.pcall(has and 'SADD' or 'SREM', bucket .. ':' .. name, sale) end
end
