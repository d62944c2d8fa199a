-- The change feed: publishes every change of claims and standby, which keeps the mirrors in the APIs true.
-- A message begins with a line 'version published free waiting cap state', '-' for an unchanged value. One line follows for
-- each buyer: 'c buyer record' for the claim as it is now, 'j buyer' for joining standby, 'l buyer' for leaving it. All values
-- are absolute, so a repeated message is harmless (core/redis/feed/changes.ts parses it).
-- `version` counts every change, published or not: after a gap a mirror is stale. `published` counts the messages: a
-- listener with a lower count is deaf.
local changes = {}

local function tell_claim(buyer, record) changes[#changes + 1] = 'c ' .. buyer .. ' ' .. record end
local function tell_joined(buyer) changes[#changes + 1] = 'j ' .. buyer end
local function tell_left(buyer) changes[#changes + 1] = 'l ' .. buyer end

local function publish(sale_key, free, waiting, state)
  local version = redis.call('HINCRBY', sale_key, 'version', 1)
  local published = redis.call('HINCRBY', sale_key, 'published', 1)
  local sale = redis.call('HMGET', sale_key, 'standbyCap', 'state')
  local head = { version, published, free, waiting, sale[1] or '-', state or sale[2] or '-' }
  table.insert(changes, 1, table.concat(head, ' '))
  -- The writes above stand: a Redis user without the right to publish must not make the script fail.
  redis.pcall('PUBLISH', string.gsub(sale_key, ':sale$', ':changes'), table.concat(changes, '\n'))
end
