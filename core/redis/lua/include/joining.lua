-- A line that exists before the sale opens: buyers join it, and its order is made at the opening (core/draw/lot.ts). Until then the
-- field `draw` of the sale is 'joining', then 'ordered'. A sale without it opens with a rush.
-- `entries` maps each buyer who joined before the opening to a number; a buyer who leaves keeps it. `unstored` has the buyers whose entry
-- Postgres has to store, each with the count of that change.
-- The tickets of buyers who come after the opening begin with LATE_FROM, above all lots and numbers.
local LATE_FROM, ENTRIES_MAX = 4503599627370496, 10000000

local function entries_key(sale_key) return string.sub(sale_key, 1, -5) .. 'entries' end

-- Notes changed entries for Postgres. `unstored` has a change and a buyer in turn.
local function note_entries(sale_key, unstored)
  redis.call('ZADD', string.sub(sale_key, 1, -5) .. 'unstored', unpack(unstored))
  mark(sale_key, 'entered', true)
end

local function note_entry(sale_key, buyer)
  note_entries(sale_key, { redis.call('HINCRBY', sale_key, 'entryChanges', 1), buyer })
end

-- A rebuild that copies the sale needs the changes; no mirror does before the order is made.
local function tell_line(sale_key, standby_key, stock_key)
  if redis.call('HEXISTS', sale_key, 'copying') == 0 then return count_change(sale_key) end
  publish(sale_key, redis.call('LLEN', stock_key), count_ahead(standby_key))
end

-- Lets buyers join a line whose order is not made yet. Returns the reply of the script, with an outcome for each buyer: {'joined', number, 1
-- before the opening}, number 0 for a buyer who came after it; 0 for nothing.
local function join_line(buyers, refused, now, opens_at)
  local is_before = now < tonumber(opens_at)
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
