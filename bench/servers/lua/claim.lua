-- The claim of one request: one call of a script that Redis has already (script.lua). The middle part of the token, unchecked, is
-- the buyer.
local client = require 'nginx.redis'

local POOL_MS, POOL_SIZE, TIMEOUT_MS = 60000, 256, 1000

local buyer = string.match(ngx.var.http_authorization or '', '%.([^.]+)%.')
local sale = string.match(ngx.var.uri, '[^/]+$')
local redis = client:new()
redis:set_timeout(TIMEOUT_MS)
local connected, problem = redis:connect('127.0.0.1', tonumber(ngx.var.redis_port))
local status
if connected then
  status, problem = redis:evalsha(ngx.var.script, 2, 'lua:' .. sale .. ':stock', 'lua:' .. sale .. ':buyers', buyer)
end
if not status then
  ngx.log(ngx.ERR, problem)
  return ngx.exit(503)
end
redis:set_keepalive(POOL_MS, POOL_SIZE)
ngx.status = status
ngx.header.content_type = 'application/json'
local body = '{"status":' .. status .. '}'
ngx.header.content_length = #body
ngx.print(body)
