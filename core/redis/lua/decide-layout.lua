#!lua flags=allow-oom
-- Tells how the keys of sales are named in this Redis, and decides it for one that has no sale.
--
-- KEYS[1] layout  KEYS[2] the registry of the layout without buckets
-- ARGV    none
-- Returns 'bucket' or 'sale'

if redis.call('EXISTS', KEYS[1]) == 1 then return 'bucket' end
if redis.call('TYPE', KEYS[2]).ok == 'hash' then
  for _, field in ipairs(redis.call('HKEYS', KEYS[2])) do
    if string.sub(field, 1, 1) ~= '@' then return 'sale' end
  end
end
redis.call('SET', KEYS[1], 'bucket')
-- Processes of an earlier version expect a hash, and load no sale beside this layout.
redis.call('SET', KEYS[2], 'moved')
return 'bucket'
