-- A claim record is 'claimId unit status payByMs reason' with '-' for none, ' refunded=MINOR' when a part of a paid order's money went
-- back, ' strikes=N' when N orders of the buyer ended without payment (include/strikes.lua), and ' group=G' for a buyer of the group G
-- (include/groups.lua). core/rules/claim.ts parses the same. A later version may append words, which this one ignores, so that both
-- versions can run during an upgrade.
-- A status only moves to a higher rank. A claim is live (keeps its unit) below rank 3, the rank of the final statuses.
local RANK = { queued = 0, pending_payment = 1, paid = 2, cancelled = 3, rejected = 3, refunded = 3 }

local function parse(record)
  local claim_id, unit, status, pay_by, reason = string.match(record, '^(%S+) (%d+) (%S+) (%S+) (%S+)')
  return { claim_id = claim_id, unit = unit, status = status, pay_by = pay_by, reason = reason }
end

local function is_live(record)
  return RANK[string.match(record, '^%S+ %d+ (%S+)')] < 3
end

local function refunded_of(record)
  return tonumber(string.match(record, ' refunded=(%d+)') or 0)
end

-- `record` is false for a buyer without a claim.
local function strikes_of(record)
  return tonumber(record and string.match(record, ' strikes=(%d+)') or 0)
end

local function group_of(record)
  return record and string.match(record, ' group=([%w_-]+)') or nil
end

local function format(claim_id, unit, status, pay_by, reason, refunded, strikes, group)
  local record = claim_id .. ' ' .. unit .. ' ' .. status .. ' ' .. (pay_by or '-') .. ' ' .. (reason or '-')
  if (refunded or 0) > 0 then record = record .. ' refunded=' .. string.format('%.0f', refunded) end
  if (strikes or 0) > 0 then record = record .. ' strikes=' .. strikes end
  return group and record .. ' group=' .. group or record
end

-- A new claim keeps the strikes of the buyer's claim before.
local function format_new(claim_id, unit, before, group)
  return format(claim_id, unit, 'queued', nil, nil, nil, strikes_of(before), group)
end
