#!lua flags=allow-oom
-- Gives back the locks of buyers: reservations of attempts that won nothing, and locks of claims whose purchase is over. Each only
-- while its holder has it. The pause after a purchase stays. Idempotent.
--
-- KEYS[1] a key of the buyers' bucket, which never exists
-- ARGV[1] 'buyer holder buyer ...' (1 to 500 pairs): the holder is an attempt 'sale/token', or the id of a claim
-- Returns the number of keys that were given back
-- @include purchases

local given = 0
for buyer, holder in string.gmatch(ARGV[1], '(%S+) (%S+)') do
  local lock, pause = lock_key('purchase', buyer), lock_key('interval', buyer)
  for _, key in ipairs({ lock, pause }) do
    if type_of(key) == 'zset' then given = given + redis.call('ZREM', key, holder) end
  end
  if type_of(lock) == 'string' and redis.call('GET', lock) == holder then given = given + redis.call('DEL', lock) end
end
return given
