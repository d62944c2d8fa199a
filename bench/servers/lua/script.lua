-- KEYS[1] stock  KEYS[2] the unit of each buyer
-- ARGV[1] buyer
-- Returns the HTTP status of the answer
if redis.call('HEXISTS', KEYS[2], ARGV[1]) == 1 then return 200 end
local unit = redis.call('LPOP', KEYS[1])
if not unit then return 409 end
redis.call('HSET', KEYS[2], ARGV[1], unit)
return 202
