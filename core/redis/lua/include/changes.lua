-- The change feed: each script publishes its changes of claims and standby. They keep the mirrors true, which are the
-- copies of sales in the memory of the APIs.
-- A message begins with a line 'version published free waiting cap state', with '-' for an unchanged value. One line
-- follows for each changed buyer: 'c buyer record' for the claim as it is now, 'j buyer' for joining standby, 'l buyer'
-- for leaving it. All values are absolute, so a repeated message is harmless (core/redis/feed/changes.ts parses it).
-- `version` counts every change, published or not: after a gap a mirror is stale. `published` counts the messages: a
-- listener with a lower count is deaf, which means that it has missed messages.
local changes = {}

local function tell_claim(buyer, record) changes[#changes + 1] = 'c ' .. buyer .. ' ' .. record end
local function tell_joined(buyer) changes[#changes + 1] = 'j ' .. buyer end
local function tell_left(buyer) changes[#changes + 1] = 'l ' .. buyer end

-- The key of the buyers who have changed since a rebuild began to copy the sale.
local function copied_key(sale_key, token) return sale_key .. ':' .. token end

-- Notes the changed buyers for a rebuild. Its key expires if the rebuild never ends, and the note with it.
local function note_changes(sale_key, token)
  local key, buyers = copied_key(sale_key, token), { token }
  if redis.call('EXISTS', key) == 0 then return redis.call('HDEL', sale_key, 'copying') end
  for i, change in ipairs(changes) do buyers[i + 1] = string.match(change, '^%a (%S+)') end
  redis.pcall('SADD', key, unpack(buyers))
  redis.call('HINCRBY', sale_key, 'copyNoted', 1)
end

-- Counts a change, and returns the count.
local function count_change(sale_key)
  mark(sale_key, 'changed', true)
  return redis.call('HINCRBY', sale_key, 'version', 1)
end

local function publish(sale_key, free, waiting, state)
  local version = count_change(sale_key)
  local published = redis.call('HINCRBY', sale_key, 'published', 1)
  local sale = redis.call('HMGET', sale_key, 'standbyCap', 'state', 'copying')
  if sale[3] then note_changes(sale_key, sale[3]) end
  local head = { version, published, free, waiting, sale[1] or '-', state or sale[2] or '-' }
  table.insert(changes, 1, table.concat(head, ' '))
  -- Redis does not roll back the script's earlier writes. So a Redis user without the right to publish must not make it
  -- fail.
  -- The channel keeps its name when the keys of the sale get others (core/redis/keys.ts).
  redis.pcall('PUBLISH', '{' .. string.match(sale_key, '([^:{}]+)}?:sale$') .. '}:changes', table.concat(changes, '\n'))
end
