#!lua
-- Makes the content of temporary (staged) keys the sale in one atomic step. Marks the sale as verified for this run of Redis.
-- A new sale and one that Redis lost are both loaded in this way.
--
-- KEYS[1] sale  KEYS[2] stock  KEYS[3] claims  KEYS[4] outbox  KEYS[5] standby  KEYS[6] groups (include/groups.lua)
-- KEYS[7..11] the same ones without the sale, staged
-- ARGV[1] run id of Redis at the time of staging
-- ARGV[2] the gate token, which the caller wrote as the sale's run id so that scripts refuse the sale; '' for a sale not loaded
-- ARGV[3] the sale's generation, which counts an operator's changes  ARGV[4..7] the number of elements staged under KEYS[7..10]
-- ARGV[8...] further fields of the sale: name, value, ...
-- Returns 'opened'; 'restarted' when Redis has another run id, has lost the staged keys (FLUSHALL), or the keys of all sales were
--         moved (move-keys.lua): stage again;
--         'superseded' when another process has opened or changed the sale since: the staged content is stale
-- @include window
-- @include marks
-- @include changes
-- @include strikes
-- @include generation
local run = string.match(redis.call('INFO', 'server'), 'run_id:(%w+)')
if run ~= ARGV[1] then return 'restarted' end
-- Keys without a bucket are of one server of Redis, so another key may be read.
if not bucket_of(KEYS[1]) and redis.call('EXISTS', '{dropline:sales}:layout') == 1 then return 'restarted' end
local gate = redis.call('HGET', KEYS[1], 'runId') or ''
if gate ~= ARGV[2] or latest_generation(KEYS[1]) > tonumber(ARGV[3]) then return 'superseded' end

-- The types of the staged keys are checked before the first write, as Redis does not roll back a failing script.
local on_standby = redis.call('ZCARD', KEYS[10])
redis.call('HLEN', KEYS[11])
local staged = { redis.call('LLEN', KEYS[7]), redis.call('HLEN', KEYS[8]), redis.call('ZCARD', KEYS[9]), on_standby }
for i, count in ipairs(staged) do
  if count ~= tonumber(ARGV[3 + i]) then return 'restarted' end
end

for i = 2, 6 do
  redis.call('UNLINK', KEYS[i])
  if redis.call('EXISTS', KEYS[i + 5]) == 1 then redis.call('RENAME', KEYS[i + 5], KEYS[i]) end
  redis.call('PERSIST', KEYS[i])
end
-- The version, which counts changes, continues from the time and with a gap. So an API's mirror (copy in memory) of the
-- earlier content never takes it for the next change.
local version = math.max(now_ms(), tonumber(redis.call('HGET', KEYS[1], 'version') or 0) + 2)
redis.call('DEL', KEYS[1])
-- The last ticket of those without a strike, and of those with one.
local ahead = count_ahead(KEYS[5])
local last = ahead > 0 and redis.call('ZRANGE', KEYS[5], ahead - 1, ahead - 1, 'WITHSCORES') or {}
local struck = ahead < on_standby and redis.call('ZRANGE', KEYS[5], -1, -1, 'WITHSCORES') or {}
redis.call('HSET', KEYS[1], 'runId', run, 'generation', ARGV[3], 'standbySeq', last[2] or 0,
  'struckSeq', (struck[2] or STRUCK_FROM) - STRUCK_FROM, 'freeAtMs', now_ms(),
  'version', version, 'published', version, unpack(ARGV, 8))
register(KEYS[1])
mark(KEYS[1], 'unplaced', tonumber(ARGV[6]) > 0)
publish(KEYS[1], redis.call('LLEN', KEYS[2]), ahead)
-- A sale without claims is as Postgres has it.
if ARGV[5] == '0' then mark(KEYS[1], 'changed', false) end
return 'opened'
