#!lua flags=allow-oom
-- Ends claims and frees their units, each only while the buyer holds exactly that claim. Idempotent.
-- A unit goes to the first buyer on standby while the sale is open, else to stock.
-- The script may run when Redis's memory is full, because it frees some.
--
-- KEYS[1] sale  KEYS[2] stock  KEYS[3] claims  KEYS[4] outbox  KEYS[5] standby; two keys of each buyer if the sale has
--         rules about purchases
-- ARGV    buyer, claimId, endedStatus, reason, freesUnit ('1', or '0' to keep the unit out of stock), newClaimId, strikes ('1' if the
--         end is a strike), ... (1 to 500 seven-tuples; newClaimId is for the buyer on standby who gets the unit)
-- Returns {verdict} of the fence (include/fence.lua: was the sale compared with Postgres in this run of Redis?) unless it is
--         'ok', else {'ok', outcome, ...}, an outcome for each claim:
--         0  no longer held    1  released    {buyer, claimId, unit}  released, and the unit given to this buyer
-- @include fence
-- @include record
-- @include claim-id
-- @include window
-- @include marks
-- @include changes
-- @include holding/strikes
-- @include purchases
-- @include promote

local verdict = fence(KEYS[1])
if verdict ~= 'ok' then return { verdict } end

local keys = { claims = KEYS[3], outbox = KEYS[4], standby = KEYS[5] }
local sale = redis.call('HMGET', KEYS[1], 'state', 'opensAtMs', 'closesAtMs', 'draw', 'unpaidLimit')
local rules = purchase_rules(KEYS[1])
local now = now_ms()
local counts_strikes = tonumber(sale[5] or 0) > 0
local open = refusal(sale[1], sale[2], sale[3], now, sale[4]) == ''
local free = redis.call('LLEN', KEYS[2])
redis.call('ZCARD', KEYS[4])
redis.call('ZCARD', KEYS[5])

local function release(buyer, claim_id, status, reason, frees_unit, new_claim_id, is_strike)
  local record = redis.call('HGET', keys.claims, buyer)
  -- The purchase lock is released even for a claim that is no longer held. A rebuild of the sale takes the claim's end
  -- from Postgres and knows nothing of locks.
  if rules then purchase_over(rules, buyer, claim_id) end
  local claim = record and parse(record)
  if not claim or claim.claim_id ~= claim_id or not is_live(record) then return 0 end
  local strikes = strikes_of(record) + (counts_strikes and is_strike == '1' and 1 or 0)
  local ended = format(claim_id, claim.unit, status, claim.pay_by, reason, { strikes = strikes })
  redis.call('HSET', keys.claims, buyer, ended)
  redis.call('ZREM', keys.outbox, buyer)
  tell_claim(buyer, ended)
  if frees_unit == '0' then return 1 end
  local promoted = open and promote(keys, claim.unit, new_claim_id, now, rules)
  if promoted then return promoted end
  if counts_strikes then note_free(KEYS[1], free, now) end
  free = redis.call('RPUSH', KEYS[2], claim.unit)
  return 1
end

local outcomes = { 'ok' }
for i = 1, #ARGV, 7 do outcomes[#outcomes + 1] = release(unpack(ARGV, i, i + 6)) end
if #changes > 0 then
  mark(KEYS[1], 'unplaced', redis.call('ZCARD', KEYS[4]) > 0)
  publish(KEYS[1], free, others_waiting(KEYS[5]))
end
return outcomes
