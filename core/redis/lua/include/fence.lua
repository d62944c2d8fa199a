-- The fence: the check that a sale was compared with Postgres in this run of Redis. Returns 'ok' then, 'unknown_sale'
-- when the sale is not loaded, else 'unverified'. The script reads the server's run id itself, so it
-- notices a failover at once.
local function fence(sale_key)
  local verified = redis.call('HGET', sale_key, 'runId')
  if not verified then
    if redis.call('EXISTS', sale_key) == 0 then return 'unknown_sale' end
    return 'unverified'
  end
  if verified ~= string.match(redis.call('INFO', 'server'), 'run_id:(%w+)') then return 'unverified' end
  return 'ok'
end
