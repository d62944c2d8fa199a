#!lua flags=allow-oom
-- Takes the mark of a change from a sale that was compared with Postgres, unless it has changed since.
--
-- KEYS[1] sale
-- ARGV[1] version, the count of the sale's changes when it was read
-- Returns 1, or 0 when the sale has changed since
-- @include marks

if redis.call('HGET', KEYS[1], 'version') ~= ARGV[1] then return 0 end
mark(KEYS[1], 'changed', false)
return 1
