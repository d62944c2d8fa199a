#!lua flags=allow-oom
-- Sends the changes of a sale that wait for the next message (include/changes.lua). Each API that follows the sale asks for it
-- some milliseconds after a message, and the first one sends it to all.
--
-- KEYS[1] sale
-- ARGV    none
-- Returns 1; 0 when the sale is not loaded
-- @include marks
-- @include window
-- @include changes
if redis.call('EXISTS', KEYS[1]) == 0 then return 0 end
send_gathered(KEYS[1], now_ms())
return 1
