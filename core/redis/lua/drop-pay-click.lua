#!lua flags=allow-oom
-- Removes a click that is decided. A later click of the same buyer has another time, and stays.
--
-- KEYS[1] pay clicks
-- ARGV    click (a member of the set), time of the decided click in ms
-- Returns 1 if the click was removed, else 0
-- @include marks

if redis.call('ZSCORE', KEYS[1], ARGV[1]) ~= ARGV[2] then return 0 end
redis.call('ZREM', KEYS[1], ARGV[1])
mark(KEYS[1], 'clicked', redis.call('ZCARD', KEYS[1]) > 0)
return 1
