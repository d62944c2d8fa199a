-- The bounds of groups (../groups.lua) for the clicks of a batch.

-- Returns what the groups of a batch have, nil for a sale without a limit. `names` has a group for each buyer, '-' for none.
local function group_rules(sale_key, limit, names)
  limit = tonumber(limit) or 0
  if limit == 0 then return nil end
  local rules = { key = groups_key(sale_key), limit = limit, of = {}, live = {}, strikes = {} }
  local fields = {}
  for name in string.gmatch(names or '', '%S+') do
    rules.of[#rules.of + 1] = name ~= '-' and name
    fields[#fields + 1], fields[#fields + 2] = 'n:' .. name, 'u:' .. name
  end
  local counts = #fields > 0 and redis.call('HMGET', rules.key, unpack(fields)) or {}
  for i, name in ipairs(rules.of) do
    if name then rules.live[name], rules.strikes[name] = tonumber(counts[2 * i - 1] or 0), tonumber(counts[2 * i] or 0) end
  end
  return rules
end

-- Returns the group of the buyer at an index of the batch, nil for none.
local function group_at(groups, index) return groups and groups.of[index] or nil end

-- Counts a unit that the buyer at an index gets.
local function count_won(groups, index)
  local group = group_at(groups, index)
  if group then groups.live[group] = groups.live[group] + 1 end
end

-- Counts the claims of the winners of a batch, all live ones in one call. `claims` has each buyer and record in turn.
local function count_winners(groups, winners, records, claims)
  local counts = {}
  for n, i in ipairs(groups and winners or {}) do
    local group = group_at(groups, i)
    if group then counts[#counts + 1], counts[#counts + 2] = 'n:' .. group, groups.live[group] end
    if records[i] then
      count_strikes(groups.key, records[i], -1)
      count_strikes(groups.key, claims[2 * n], 1)
    end
  end
  if #counts > 0 then redis.call('HSET', groups.key, unpack(counts)) end
end

-- Returns the strikes that count for a buyer with `own` ones. One strike in the group puts all its members behind everybody else. When all
-- units that the group may have were held and not paid as often as one buyer may do it, its members get nothing more.
local function strikes_with_group(own, strikes, groups, group)
  if not group then return own end
  local all = groups.strikes[group]
  if all >= strikes.limit * groups.limit then return math.max(own, strikes.limit) end
  return math.max(own, math.min(all, 1, strikes.limit - 1))
end

-- Returns the click of the buyer at an index: the group, the strikes, and whether the group has all of its units.
local function click_of(buyer, record, strikes, groups, index)
  local group = group_at(groups, index)
  local is_full = group ~= nil and groups.live[group] >= groups.limit
  local click = { buyer = buyer, groups = groups, group = group, is_full = is_full, strikes = 0 }
  if strikes then click.strikes = strikes_with_group(strikes_of(record), strikes, groups, group) end
  return click
end

-- Notes the group of a buyer who joins standby, for a promotion.
local function note_group(groups, group, buyer)
  if not groups then return end
  if group then redis.call('HSET', groups.key, 'w:' .. buyer, group) else redis.call('HDEL', groups.key, 'w:' .. buyer) end
end
