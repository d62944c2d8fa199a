-- The change feed: whoever keeps a mirror of a sale in memory hears of every change of who holds a claim and who is in line.
-- A message is a line 'version published free waiting cap state', '-' for what stays as it is, and then a line each:
-- 'c buyer record' for a claim as it is now, 'j buyer' for who is in line now, 'l buyer' for who isn't any more. All of it are
-- absolute values, so hearing it twice does no harm (core/redis/feed/changes.ts reads it).
-- `version` counts every change, told or not: a gap says that a mirror is out of date. `published` counts what was told: a
-- listener who is behind it is deaf.
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
  -- What was done is done: a user of Redis who may not publish must not break a script that has written.
  redis.pcall('PUBLISH', string.gsub(sale_key, ':sale$', ':changes'), table.concat(changes, '\n'))
end
