-- Chooses the buyers of one call of claim.lua who get a unit. `line` is the line of the call (include/holding/standby.lua).

-- Returns the numbers in the batch of the winners; the outcomes so far, for those who hold a claim or come too soon; the number of each
-- winner by buyer, negative; the time of the new claims, which is one for all, after the earlier claims of all winners; and the
-- numbers of all, those of buyers with strikes last.
local function choose_winners(line, buyers, records, units)
  local winners, outcomes, seen, order, struck, time = {}, {}, {}, {}, {}, line.now
  local function serve(i)
    local buyer = buyers[i]
    if seen[buyer] then outcomes[i] = seen[buyer]
    elseif #winners < units then
      outcomes[i] = line.rules and too_soon(line.rules, buyer)
      if outcomes[i] then return end
      winners[#winners + 1], seen[buyer], time = i, -i, time_after(time, records[i])
    end
  end
  for i in ipairs(buyers) do
    local is_held = records[i] and is_live(records[i])
    local is_struck = not is_held and line.limit and strikes_of(records[i]) > 0
    if is_held then outcomes[i] = records[i] end
    if is_struck then struck[#struck + 1] = i else order[#order + 1] = i end
    if not is_held and not is_struck then serve(i) end
  end
  local is_theirs = #struck > 0 and line.on_standby == 0 and #winners < units and struck_wait(line.sale, line.now) == 0
  for _, i in ipairs(struck) do
    order[#order + 1] = i
    if is_theirs and strikes_of(records[i]) < line.limit then serve(i) end
  end
  return winners, outcomes, seen, time, order
end

-- Takes a winner off standby. Somebody may wait there behind all others whose strike was taken back since.
local function leave_line(line, buyer)
  if redis.call('ZREM', line.standby, buyer) == 0 then return end
  line.on_standby = line.on_standby - 1
  tell_left(buyer)
end
