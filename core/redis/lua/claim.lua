#!lua
-- Claims one unit of a sale for each buyer of a batch. Looking for a live claim, taking a unit, and writing claim and outbox
-- entry are one atomic step.
-- A buyer who gets neither a unit nor a position on standby leaves no trace.
--
-- KEYS[1] sale  KEYS[2] stock  KEYS[3] claims  KEYS[4] outbox  KEYS[5] standby; two keys of each buyer if the sale has
--         rules about purchases (include/purchases.lua)
-- ARGV[1] 'buyer rest buyer rest ...' (1 to 128 pairs; if the buyer wins a unit, the rest follows idStart in the claim's id): one
--         argument, as each one costs the client more than the parsing costs here
-- ARGV[2] on a Redis Cluster, for a sale with such rules: the locks of the buyers (wanted_locks in include/purchases.lua), else ''
-- ARGV[3] 'group group ...' of the buyers, '-' for none
-- Returns {verdict} of the fence (include/fence.lua: was the sale compared with Postgres in this run of Redis?) unless it is
--         'ok', else {'ok', refusal, opensAtMs, idStart, outcome, ...}, an outcome for each buyer:
--         string  the record of the live claim that the buyer holds
--         n > 0   won unit n      n < 0   on standby at position -n      0   sold out, or refused if refusal isn't ''
--         {'joined', number of the entry or 0, 1 before the opening}  in a line whose order is not made yet (include/joining.lua)
--         {'interval' or 'purchase', ms}  too soon after, or during, another purchase; or what ARGV[2] says of the buyer
--         {'unpaid_limit', 0}  too many orders of the buyer ended without payment (include/strikes.lua)
--         {'others_first', ms}  one did, and until then the free units are for everybody else
--         {'group_limit', 0}  the buyer's group has all of its units (include/groups.lua)
--         {'needs_locks', 1 for one purchase at a time, ms of the pause, ms of a lock, now in ms}: ARGV[2] is missing or too old, and
--         a buyer may get something. Nothing was done
-- @include fence
-- @include record
-- @include claim-id
-- @include window
-- @include marks
-- @include changes
-- @include strikes
-- @include groups
-- @include joining
-- @include purchases
-- @include clicks/groups
-- @include clicks/join-line
-- @include clicks/standby

local verdict = fence(KEYS[1])
if verdict ~= 'ok' then return { verdict } end

-- Everything is read before the first write, as Redis does not roll back a failing script. The reads also check the
-- type of every key.
local sale = redis.call('HMGET', KEYS[1], 'state', 'opensAtMs', 'closesAtMs', 'standbyCap', 'copying', 'draw', 'unpaidLimit',
  'payWithinSeconds', 'retryPayWithinSeconds', 'freeAtMs', 'perGroup')
local rules, now = purchase_rules(KEYS[1]), now_ms()
local strikes = strike_rules(sale[7], { pay_within = sale[8], retry_within = sale[9], free_at = sale[10], opens_at = sale[2] }, now)
local groups = group_rules(KEYS[1], sale[11], ARGV[3])
local refused = refusal(sale[1], sale[2], sale[3], now)
local free, line, _ = redis.call('LLEN', KEYS[2]), line_of(KEYS[5], sale[4], strikes), redis.call('ZCARD', KEYS[4])

local buyers, rests = {}, {}
for buyer, rest in string.gmatch(ARGV[1], '(%S+) (%S+)') do buyers[#buyers + 1], rests[#rests + 1] = buyer, rest end
if sale[6] == 'joining' then return join_line(buyers, refused, { now = now, opens_at = sale[2] }, groups) end
local records = redis.call('HMGET', KEYS[3], unpack(buyers))

-- Units go to buyers in the order of their requests, and never past buyers on standby who have no strike.
local poppable = (refused == '' and line.ahead == 0) and free or 0
local wanted = rules and refused == '' and wanted_locks(rules, ARGV[2], now)
if wanted and (poppable > 0 or has_room(line, strikes)) then return wanted end
-- All claims of this call have one time, which is after the earlier claims of all its winners.
local winners, outcomes, seen, time = {}, {}, {}, now
for i, buyer in ipairs(buyers) do
  if records[i] and is_live(records[i]) then
    outcomes[i] = records[i]
  elseif seen[buyer] then
    outcomes[i] = seen[buyer]
  elseif #winners < poppable then
    local click = (strikes or groups) and click_of(buyer, records[i], strikes, groups, i)
    local held = strikes and held_back(strikes, click, line)
    if held ~= true then outcomes[i] = held or click and click.is_full and { 'group_limit', 0 } or rules and too_soon(rules, buyer) end
    if not held and not outcomes[i] then
      count_won(groups, i)
      winners[#winners + 1], seen[buyer], time = i, -i, time_after(time, records[i])
    end
  end
end

-- API processes mirror (copy into memory) only sales with fewer free units. So with this many, nothing is published,
-- and raising the version is enough. A rebuild that copies the sale needs all changes.
local plenty, start = free - #winners >= 256 and not sale[5], id_start(time)
if #winners > 0 then
  local units = redis.call('LPOP', KEYS[2], #winners)
  -- The time is a text, so that the number is formatted once and not for each outbox entry.
  local claims, entries, won_at = {}, {}, string.format('%.0f', now)
  for n, i in ipairs(winners) do
    outcomes[i] = tonumber(units[n])
    claims[2 * n - 1], claims[2 * n] = buyers[i], format_new(start .. rests[i], units[n], records[i], group_at(groups, i))
    entries[2 * n - 1], entries[2 * n] = won_at, buyers[i]
    if rules then purchase_began(rules, buyers[i], start .. rests[i]) end
    if not plenty then tell_claim(buyers[i], claims[2 * n]) end
  end
  redis.call('HSET', KEYS[3], unpack(claims))
  count_winners(groups, winners, records, claims)
  redis.call('ZADD', KEYS[4], unpack(entries))
  mark(KEYS[1], 'unplaced', true)
end

for i, buyer in ipairs(buyers) do
  if not outcomes[i] then
    outcomes[i] = refused == '' and stand(KEYS[1], line, click_of(buyer, records[i], strikes, groups, i), rules, strikes) or 0
  elseif seen[buyer] and outcomes[i] == seen[buyer] then
    -- A buyer who comes twice in one batch gets the claim of the first request for the second one, too.
    outcomes[i] = format_new(start .. rests[-outcomes[i]], outcomes[-outcomes[i]], records[i], group_at(groups, -outcomes[i]))
  end
end

if #changes > 0 then publish(KEYS[1], free - #winners, line.ahead)
elseif #winners > 0 then count_change(KEYS[1]) end

return { 'ok', refused, sale[2], start, unpack(outcomes) }
