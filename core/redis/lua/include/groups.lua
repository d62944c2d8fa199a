-- Groups of buyers, such as a household, as the shop's tokens name them. They count only in a sale with a limit (`perGroup`). The record of
-- a claim names the group, and the hash of the groups has what follows from all records: 'n:' .. group is the number of its live claims,
-- 'u:' .. group that of its strikes (strikes.lua). 'w:' .. buyer is the group of a buyer on standby.
local function groups_key(sale_key) return string.sub(sale_key, 1, -5) .. 'groups' end

local function count_strikes(key, record, sign)
  local group, strikes = group_of(record), strikes_of(record)
  if group and strikes > 0 then redis.call('HINCRBY', key, 'u:' .. group, sign * strikes) end
end

local function count_record(key, record, sign)
  local group = group_of(record)
  if group and is_live(record) then redis.call('HINCRBY', key, 'n:' .. group, sign) end
  count_strikes(key, record, sign)
end

-- Counts a record that is written in place of another one, which is false for none.
local function regroup(sale_key, before, after)
  count_record(groups_key(sale_key), before, -1)
  count_record(groups_key(sale_key), after, 1)
end

local function has_all(key, group, limit)
  return tonumber(redis.call('HGET', key, 'n:' .. group) or 0) >= limit
end
