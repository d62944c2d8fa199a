-- Lets buyers join a line whose order is not made yet. `times` are `now` and `opens_at`, `groups` those of group_rules. Returns the reply of
-- the script, with an outcome for each buyer: {'joined', number, 1 before the opening}, number 0 for a buyer who came after it; 0 for nothing.
local function join_line(buyers, refused, times, groups)
  local now, is_before = times.now, times.now < tonumber(times.opens_at)
  local key, before = entries_key(KEYS[1]), is_before and 1 or 0
  local counts = redis.call('HMGET', KEYS[1], 'entrySeq', 'entryChanges', 'standbySeq', 'standbyCap', 'joinsAtMs')
  if refused == 'not_open' then refused = now < tonumber(counts[5]) and 'not_joining' or '' end
  local number, change, late = tonumber(counts[1]), tonumber(counts[2]), tonumber(counts[3])
  local numbers, tickets = redis.call('HMGET', key, unpack(buyers)), redis.call('ZMSCORE', KEYS[5], unpack(buyers))
  local room = ENTRIES_MAX - redis.call('HLEN', key)
  if not is_before then room = counts[4] + redis.call('HLEN', key) - redis.call('ZCARD', KEYS[5]) end
  local entries, line, unstored, outcomes, seen = {}, {}, {}, { 'ok', refused, counts[5], '' }, {}
  for i, buyer in ipairs(buyers) do
    local entry = tonumber(numbers[i] or 0)
    if seen[buyer] then outcomes[i + 4] = seen[buyer]
    elseif tickets[i] then outcomes[i + 4] = { 'joined', tonumber(tickets[i]) < LATE_FROM and entry or 0, before }
    elseif refused ~= '' or room < 1 then outcomes[i + 4] = 0
    else
      local ticket = entry
      if not is_before then late, ticket = late + 1, late + 1
      elseif entry == 0 then
        number, ticket = number + 1, number + 1
        entries[#entries + 1], entries[#entries + 2] = buyer, ticket
      end
      if is_before then change, unstored[#unstored + 1], unstored[#unstored + 2] = change + 1, change + 1, buyer end
      room, line[#line + 1], line[#line + 2] = room - 1, ticket, buyer
      outcomes[i + 4] = { 'joined', is_before and ticket or 0, before }
      seen[buyer] = outcomes[i + 4]
      note_group(groups, group_at(groups, i), buyer)
      tell_joined(buyer)
    end
  end
  if #line == 0 then return outcomes end
  redis.call('HSET', KEYS[1], 'entrySeq', number, 'entryChanges', change, 'standbySeq', string.format('%.0f', late))
  if #entries > 0 then redis.call('HSET', key, unpack(entries)) end
  redis.call('ZADD', KEYS[5], unpack(line))
  if #unstored > 0 then note_entries(KEYS[1], unstored) end
  tell_line(KEYS[1], KEYS[5], KEYS[2])
  return outcomes
end
