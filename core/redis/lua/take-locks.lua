#!lua
-- Reserves the locks of buyers for attempts to claim. Attempts in the same sale share a lock, as that sale's claims decide between them.
--
-- KEYS[1] a key of the buyers' bucket, which never exists
-- ARGV[1] 'buyer buyer ...' (1 to 128)  ARGV[2] the attempt, 'sale/token'
-- ARGV[3] the rules of the sale: 'interval', 'purchase' or 'interval purchase'  ARGV[4] the lifetime of a reservation, in ms
-- Returns for each buyer 0 if reserved, else {rule, ms until its lock ends}
-- @include window
-- @include purchases

local now, lifetime, sale = now_ms(), tonumber(ARGV[4]), string.match(ARGV[2], '^[^/]+/')

-- Returns how long a key keeps the buyer from this sale, in ms; nil if it does not.
local function left_ms(key)
  local left = redis.call('PTTL', key)
  if left == -2 then return nil end
  if type_of(key) ~= 'zset' then return left end
  local last = redis.call('ZREVRANGEBYSCORE', key, '+inf', string.format('(%.0f', now), 'WITHSCORES', 'LIMIT', 0, 1)
  if not last[1] or string.sub(last[1], 1, #sale) == sale then return nil end
  return tonumber(last[2]) - now
end

local function take(buyer)
  for rule in string.gmatch(ARGV[3], '%S+') do
    local left = left_ms(lock_key(rule, buyer))
    if left then return { rule, left } end
  end
  for rule in string.gmatch(ARGV[3], '%S+') do
    local key = lock_key(rule, buyer)
    -- The attempts that have ended would otherwise stay while the buyer tries again and again.
    redis.call('ZREMRANGEBYSCORE', key, '-inf', string.format('%.0f', now))
    redis.call('ZADD', key, string.format('%.0f', now + lifetime), ARGV[2])
    redis.call('PEXPIRE', key, lifetime)
  end
  return 0
end

local outcomes = {}
for buyer in string.gmatch(ARGV[1], '%S+') do outcomes[#outcomes + 1] = take(buyer) end
return outcomes
