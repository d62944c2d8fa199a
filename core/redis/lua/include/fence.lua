-- Whether the sale may be touched: 'ok'; 'unknown_sale' when it isn't loaded; 'unverified' while this run of Redis has not
-- been compared with Postgres. The server's own run id is read here, so no client can be stale about a restart or failover.
local function fence(sale_key)
  local verified = redis.call('HGET', sale_key, 'runId')
  if not verified then
    if redis.call('EXISTS', sale_key) == 0 then return 'unknown_sale' end
    return 'unverified'
  end
  if verified ~= string.match(redis.call('INFO', 'server'), 'run_id:(%w+)') then return 'unverified' end
  return 'ok'
end
