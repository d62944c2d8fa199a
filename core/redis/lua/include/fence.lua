-- The fence: 'ok' when the sale may be used; 'unknown_sale' when it is not loaded; 'unverified' until it was compared with
-- Postgres in this run of Redis. The script reads the server's run id itself, so no client is stale after a failover.
local function fence(sale_key)
  local verified = redis.call('HGET', sale_key, 'runId')
  if not verified then
    if redis.call('EXISTS', sale_key) == 0 then return 'unknown_sale' end
    return 'unverified'
  end
  if verified ~= string.match(redis.call('INFO', 'server'), 'run_id:(%w+)') then return 'unverified' end
  return 'ok'
end
