-- Standby at a click. `line` has the cap, the buyers on standby without a strike (`ahead`) and those with strikes (`behind`). Each of
-- the two groups has room for as many as the cap, so nobody with a strike takes the room of the others.

-- Returns the counts of a line. In a sale without a limit of strikes nobody is counted behind.
local function line_of(standby_key, cap, strikes)
  local all = redis.call('ZCARD', standby_key)
  local ahead = strikes and all > 0 and count_ahead(standby_key) or all
  return { key = standby_key, cap = tonumber(cap), ahead = ahead, behind = all - ahead }
end

local function has_room(line, strikes) return line.ahead < line.cap or strikes ~= nil and line.behind < line.cap end

-- Puts a buyer on standby. Returns the negative position.
local function join_standby(sale_key, line, click)
  local is_struck = click.strikes > 0
  local ticket = redis.call('HINCRBY', sale_key, is_struck and 'struckSeq' or 'standbySeq', 1)
  if is_struck then line.behind, ticket = line.behind + 1, STRUCK_FROM + ticket
  else line.ahead = line.ahead + 1 end
  redis.call('ZADD', line.key, ticket, click.buyer)
  note_group(click.groups, click.group, click.buyer)
  tell_joined(click.buyer)
  return is_struck and -(line.ahead + line.behind) or -line.ahead
end

-- Returns the outcome for a buyer who got no unit in a sale that is open, as in claim.lua. `click` has the buyer with the strikes, and
-- whether the group has all of its units. `rules` are those about purchases, `strikes` those about strikes, nil for none.
local function stand(sale_key, line, click, rules, strikes)
  local rank = line.cap > 0 and redis.call('ZRANK', line.key, click.buyer)
  if rank then return -(rank + 1) end
  local is_struck = click.strikes > 0
  if is_struck and click.strikes >= strikes.limit then return { 'unpaid_limit', 0 } end
  if click.is_full then return { 'group_limit', 0 } end
  if (is_struck and line.behind or line.ahead) >= line.cap then return 0 end
  return rules and too_soon(rules, click.buyer) or join_standby(sale_key, line, click)
end
