-- A claim id is a UUID of version 7 (RFC 9562). Its first 12 hex digits are the time in ms: here by Redis's clock, so that ids
-- order the claims of a buyer whatever the clocks of the processes say. The rest is random, and comes from the process.

-- Returns a new claim's id: `id` with the time `now`. The id is greater than that of the buyer's earlier claim, also when
-- Redis's clock was set back. `record` is the record of that claim, or false.
local function new_id(id, now, record)
  local last = record and tonumber(string.sub(record, 1, 8) .. string.sub(record, 10, 13), 16) or 0
  local time = math.max(now, last + 1)
  return string.format('%08x-%04x', math.floor(time / 65536), time % 65536) .. string.sub(id, 14)
end
