-- Answers a click for which no unit is left: with a position on standby, or a refusal.
-- `line` is the line of one call of claim.lua: sale, standby, cap, waiting (without strikes), on_standby (all), free (units after this
-- call), now, rules about purchases, and the limit of strikes, nil for none.

-- Returns the refusal of a buyer with strikes who is not on standby, or nil.
local function struck_refusal(line, strikes)
  if strikes >= line.limit then return { 'unpaid_limit', 0 } end
  if line.free == 0 or line.on_standby > 0 then return nil end
  -- At least 1: a unit that is free for this buyer as well was given in this call.
  return { 'others_first', math.max(1, struck_wait(line.sale, line.now)) }
end

-- Returns the outcome for a buyer without a live claim, as claim.lua does.
local function join_standby(line, buyer, record)
  local rank = line.on_standby > 0 and redis.call('ZRANK', line.standby, buyer)
  if rank then return -(rank + 1) end
  local strikes = line.limit and strikes_of(record) or 0
  local refused = strikes > 0 and struck_refusal(line, strikes)
  if refused then return refused end
  -- Behind a full line nobody else joins either, so that 'sold out' is the same for all.
  local struck_waiting = line.on_standby - line.waiting
  if line.waiting >= line.cap or strikes > 0 and struck_waiting >= line.cap then return 0 end
  local early = line.rules and too_soon(line.rules, buyer)
  if early then return early end
  local ticket = strikes > 0 and struck_ticket(line.sale) or redis.call('HINCRBY', line.sale, 'standbySeq', 1)
  redis.call('ZADD', line.standby, ticket, buyer)
  tell_joined(buyer)
  line.on_standby = line.on_standby + 1
  if strikes == 0 then line.waiting = line.waiting + 1 end
  return -(strikes > 0 and line.on_standby or line.waiting)
end
