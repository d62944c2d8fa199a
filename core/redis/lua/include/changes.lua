-- The change feed: each script tells its changes of claims and standby. They keep the mirrors true, which are the
-- copies of sales in the memory of the APIs.
-- A message begins with a line 'version published free waiting cap state since', with '-' for an unchanged value. One line
-- follows for each changed buyer: 'c buyer record' for the claim as it is now, 'j buyer' for joining standby, 'l buyer'
-- for leaving it. All values are absolute, so a repeated message is harmless (core/redis/feed/changes.ts parses it).
-- `version` counts every change, published or not: after a gap a mirror is stale. `published` counts the published ones: a
-- listener with a lower count is deaf, which means that it has missed messages.
-- While many change, the changes of some milliseconds are one message, from the version `since` on: each message costs every
-- API as much as a refusal.
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

-- The time within which a sale has one message, in ms; the most changes that wait for the next one; and how long they wait for a
-- message that nobody asks for, in s: then no API follows the sale.
local GATHER_MS, GATHERED_MAX, GATHERED_SECONDS = 20, 256, 10

local function gathered_key(sale_key) return string.sub(sale_key, 1, -5) .. 'news' end

-- Joins changes to one message: the last value of each word of their heads, and all buyers in order. It begins after the last
-- gap in the versions, as changes that are not published leave one.
local function join(told)
  local head, lines, since = {}, {}
  for _, change in ipairs(told) do
    local version, words, rest = string.match(change, '^(%d+)([^\n]*)(.*)$')
    if version - 1 ~= tonumber(head[1]) then since = version end
    head[1], lines[#lines + 1] = version, rest
    local at = 1
    for word in string.gmatch(words, '%S+') do
      at = at + 1
      if word ~= '-' or not head[at] then head[at] = word end
    end
  end
  return table.concat(head, ' ') .. ' ' .. since .. table.concat(lines)
end

-- Redis does not roll back the script's earlier writes. So a Redis user without the right to publish must not make it fail.
-- The channel keeps its name when the keys of the sale get others (core/redis/keys.ts).
local function send(sale_key, told, now)
  redis.call('HSET', sale_key, 'toldAtMs', now)
  redis.pcall('PUBLISH', '{' .. string.match(sale_key, '([^:{}]+)}?:sale$') .. '}:changes', join(told))
end

-- Sends the changes that wait, if there are any.
local function send_gathered(sale_key, now)
  local told = redis.call('LRANGE', gathered_key(sale_key), 0, -1)
  redis.call('DEL', gathered_key(sale_key))
  if #told > 0 then send(sale_key, told, now) end
end

-- Sends a change at once, or keeps it for the next message if the last one is just gone. A script of this sale or an API that
-- follows it sends that message (tell-changes.lua).
local function tell(sale_key, change, told_at)
  local key, now = gathered_key(sale_key), now_ms()
  local since = now - (tonumber(told_at) or 0)
  local is_early = since >= 0 and since < GATHER_MS
  if not is_early and redis.call('EXISTS', key) == 0 then return send(sale_key, { change }, now) end
  local waiting = redis.call('RPUSH', key, change)
  if waiting == 1 then redis.call('EXPIRE', key, GATHERED_SECONDS) end
  if not is_early or waiting >= GATHERED_MAX then send_gathered(sale_key, now) end
end

local function publish(sale_key, free, waiting, state)
  local version = count_change(sale_key)
  local published = redis.call('HINCRBY', sale_key, 'published', 1)
  local sale = redis.call('HMGET', sale_key, 'standbyCap', 'state', 'copying', 'toldAtMs')
  if sale[3] then note_changes(sale_key, sale[3]) end
  local head = { version, published, free, waiting, sale[1] or '-', state or sale[2] or '-' }
  table.insert(changes, 1, table.concat(head, ' '))
  tell(sale_key, table.concat(changes, '\n'), sale[4])
end
