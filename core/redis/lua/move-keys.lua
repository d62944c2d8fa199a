#!lua flags=allow-oom
-- Gives the keys of all sales the names of the layout with buckets, in one atomic step. It takes some 10 µs for each sale.
-- Keys are named here and not declared, which only one server of Redis allows: a Redis Cluster never had the earlier layout.
--
-- KEYS[1] layout  KEYS[2] the registry of the layout without buckets
-- ARGV    saleId, the prefix of its keys until now, the new prefix, its new registry, saleId ...
-- Returns 1; 0 when the registry has other sales than ARGV, or was moved: then nothing changed
-- @include marks

if redis.call('EXISTS', KEYS[1]) == 1 or redis.call('TYPE', KEYS[2]).ok ~= 'hash' then return 0 end
local listed = redis.call('HKEYS', KEYS[2])
local marks = redis.call('HMGET', KEYS[2], '@run', '@at')
local sales = #listed - (marks[1] and 1 or 0) - (marks[2] and 1 or 0)
if sales ~= #ARGV / 4 then return 0 end
for i = 1, #ARGV, 4 do
  if redis.call('HEXISTS', KEYS[2], ARGV[i]) == 0 then return 0 end
end

for i = 1, #ARGV, 4 do
  local sale, from, to, registry = ARGV[i], ARGV[i + 1], ARGV[i + 2], ARGV[i + 3]
  for _, part in ipairs({ 'sale', 'stock', 'claims', 'outbox', 'standby', 'payments', 'pay-clicks', 'placing', 'news', 'entries',
    'unstored', 'draw' }) do
    -- A part that has no key must not get what an earlier process has left under the new name.
    redis.call('UNLINK', to .. ':' .. part)
    if redis.call('EXISTS', from .. ':' .. part) == 1 then redis.call('RENAME', from .. ':' .. part, to .. ':' .. part) end
  end
  mark(to .. ':outbox', 'unplaced', redis.call('EXISTS', to .. ':outbox') == 1)
  mark(to .. ':pay-clicks', 'clicked', redis.call('EXISTS', to .. ':pay-clicks') == 1)
  mark(to .. ':unstored', 'entered', redis.call('EXISTS', to .. ':unstored') == 1)
  mark(to .. ':sale', 'changed', true)
  -- The old registry does not follow the generation.
  redis.call('HSET', registry, sale, redis.call('HGET', to .. ':sale', 'generation') or 0)
end
redis.call('SET', KEYS[1], 'bucket')
-- Processes of an earlier version expect a hash, and load no sale beside this layout.
redis.call('SET', KEYS[2], 'moved')
return 1
