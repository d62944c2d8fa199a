-- Marks of sales, in sets of their bucket, so that a worker asks the buckets and not every sale (core/redis/marks.ts). Keys that
-- have no bucket yet have no marks.

-- Returns the hash tag of a bucket and the id of a sale, from one of the sale's keys; nil for keys without a bucket.
local function bucket_of(key) return string.match(key, '^({b%d%d}):([^:]+):') end

-- A script that has written before must not fail here, as Redis does not roll back: hence pcall.
local function mark(key, name, has)
  local bucket, sale = bucket_of(key)
  if bucket then redis.pcall(has and 'SADD' or 'SREM', bucket .. ':' .. name, sale) end
end
