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
