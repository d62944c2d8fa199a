#!lua flags=allow-oom
-- Ends claims and frees their units, each only while the buyer holds exactly that claim. Idempotent.
-- A unit goes to the first buyer on standby while the sale is open, else to stock.
-- The script may run when Redis's memory is full, because it frees some.
--
-- KEYS[1] sale  KEYS[2] stock  KEYS[3] claims  KEYS[4] outbox  KEYS[5] standby; two keys of each buyer if the sale has
--         rules about purchases
-- ARGV    buyer, claimId, endedStatus, reason, freesUnit ('1', or '0' to keep the unit out of stock), newClaimId, ...
--         (1 to 500 six-tuples; newClaimId is for the buyer on standby who gets the unit)
-- Returns {verdict} of the fence (include/fence.lua: was the sale compared with Postgres in this run of Redis?) unless it is
--         'ok', else {'ok', outcome, ...}, an outcome for each claim:
--         0  no longer held    1  released    {buyer, claimId, unit}  released, and the unit given to this buyer
-- @include fence
-- @include record
-- @include claim-id
-- @include window
-- @include marks
-- @include changes
-- @include purchases
-- @include strikes
-- @include groups
-- @include promote

local verdict = fence(KEYS[1])
if verdict ~= 'ok' then return { verdict } end

local sale = redis.call('HMGET', KEYS[1], 'state', 'opensAtMs', 'closesAtMs', 'draw', 'unpaidLimit', 'perGroup')
local keys = { sale = KEYS[1], claims = KEYS[3], outbox = KEYS[4], standby = KEYS[5], per_group = tonumber(sale[6]) or 0 }
local rules, is_limited = purchase_rules(KEYS[1]), (tonumber(sale[5]) or 0) > 0
local now = now_ms()
local open = refusal(sale[1], sale[2], sale[3], now, sale[4]) == ''
local was_free = redis.call('LLEN', KEYS[2]) > 0
redis.call('ZCARD', KEYS[4])
redis.call('ZCARD', KEYS[5])

local function release(buyer, claim_id, status, reason, frees_unit, new_claim_id)
  local record = redis.call('HGET', keys.claims, buyer)
  -- The purchase lock is released even for a claim that is no longer held. A rebuild of the sale takes the claim's end
  -- from Postgres and knows nothing of locks.
  if rules then purchase_over(rules, buyer, claim_id) end
  local claim = record and parse(record)
  if not claim or claim.claim_id ~= claim_id or not is_live(record) then return 0 end
  local strikes = strikes_of(record) + (is_limited and STRIKING[reason] and 1 or 0)
  local ended = format(claim_id, claim.unit, status, claim.pay_by, reason, nil, strikes, group_of(record))
  redis.call('HSET', keys.claims, buyer, ended)
  regroup(keys.sale, record, ended)
  redis.call('ZREM', keys.outbox, buyer)
  tell_claim(buyer, ended)
  if frees_unit == '0' then return 1 end
  local promoted = open and promote(keys, claim.unit, new_claim_id, now, rules)
  if not promoted then redis.call('RPUSH', KEYS[2], claim.unit) end
  return promoted or 1
end

local outcomes = { 'ok' }
for i = 1, #ARGV, 6 do
  outcomes[#outcomes + 1] = release(ARGV[i], ARGV[i + 1], ARGV[i + 2], ARGV[i + 3], ARGV[i + 4], ARGV[i + 5])
end
if #changes > 0 then
  mark(KEYS[1], 'unplaced', redis.call('ZCARD', KEYS[4]) > 0)
  local free = redis.call('LLEN', KEYS[2])
  if is_limited and free > 0 and not was_free then redis.call('HSET', KEYS[1], 'freeAtMs', now) end
  publish(KEYS[1], free, count_ahead(KEYS[5]))
end
return outcomes
