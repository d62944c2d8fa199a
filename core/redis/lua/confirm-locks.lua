#!lua flags=allow-oom
-- Gives the locks of buyers to the claims that they have won, and begins their pauses. Idempotent. A reservation yields to a claim. The
-- lock of another claim stays, as a buyer promoted from standby may have one, and a pause never becomes shorter.
--
-- KEYS[1] a key of the buyers' bucket, which never exists
-- ARGV[1] 'buyer claimId lockMs pauseMs buyer ...', 0 for none (1 to 500 four-tuples)
-- ARGV[2] the attempt 'sale/token' that has made the claims: only its reservations become locks, as a claim whose lock somebody else
--         has confirmed may have ended since. '' when the claims have certainly not ended
-- Returns the number of keys written
-- @include purchases

local written = 0

local function is_reserved(key)
  return type_of(key) == 'zset' and (ARGV[2] == '' or redis.call('ZSCORE', key, ARGV[2]) ~= false)
end

local function write(key, claim_id, ms)
  redis.call('SET', key, claim_id, 'PX', ms)
  written = written + 1
end

for buyer, claim_id, lock_ms, pause_ms in string.gmatch(ARGV[1], '(%S+) (%S+) (%d+) (%d+)') do
  local lock, pause = lock_key('purchase', buyer), lock_key('interval', buyer)
  local is_free = ARGV[2] == '' and redis.call('EXISTS', lock) == 0
  if lock_ms ~= '0' and (is_free or is_reserved(lock)) then write(lock, claim_id, lock_ms) end
  local is_longer = ARGV[2] == '' and tonumber(pause_ms) > redis.call('PTTL', pause)
  if pause_ms ~= '0' and (is_longer or is_reserved(pause)) then write(pause, claim_id, pause_ms) end
end
return written
