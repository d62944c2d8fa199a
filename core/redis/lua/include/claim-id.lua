-- A claim id is a UUID of version 7 (RFC 9562). Its first 12 hex digits are the time in ms: here by Redis's clock, so that ids
-- order the claims of a buyer whatever the clocks of the processes say. The rest is random, and comes from the process.

-- Returns the time for the id of a new claim: `time`, or a later one if the buyer's earlier claim is not before it, as when
-- Redis's clock was set back. `record` is the record of that claim, or false.
local function time_after(time, record)
  if not record then return time end
  local last = tonumber(string.sub(record, 1, 8) .. string.sub(record, 10, 13), 16) or 0
  return math.max(time, last + 1)
end

-- Returns the beginning of an id, which is its time. The rest follows.
local function id_start(time)
  return string.format('%08x-%04x', math.floor(time / 65536), time % 65536)
end
