-- Returns Redis's clock, in ms since the epoch. Only this clock decides whether a sale is open.
local function now_ms()
  local time = redis.call('TIME')
  return time[1] * 1000 + math.floor(time[2] / 1000)
end

-- Returns '' while units of a sale may be claimed, else the refusal: 'closed', 'paused' or 'not_open'. `draw` is 'joining' until the
-- order of its line was made (include/joining.lua).
local function refusal(state, opens_at, closes_at, now, draw)
  if state == 'closed' or now >= tonumber(closes_at) then return 'closed' end
  if state == 'paused' then return 'paused' end
  if now < tonumber(opens_at) or draw == 'joining' then return 'not_open' end
  return ''
end
