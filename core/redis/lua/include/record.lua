-- A claim record is 'claimId unit status payByMs reason' with '-' for none, then words: ' refunded=MINOR' when a part of a paid
-- order's money went back, and ' strikes=N' (holding/strikes.lua; core/rules/claim.ts parses the same). A later version may append words, which this one ignores, so that both
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

local function strikes_of(record)
  return record and tonumber(string.match(record, ' strikes=(%d+)') or 0) or 0
end

-- `words` has the numbers of the words behind a record; none of them, or 0, for a missing one.
local function format(claim_id, unit, status, pay_by, reason, words)
  local record = claim_id .. ' ' .. unit .. ' ' .. status .. ' ' .. (pay_by or '-') .. ' ' .. (reason or '-')
  if not words then return record end
  if (words.refunded or 0) > 0 then record = record .. ' refunded=' .. string.format('%.0f', words.refunded) end
  if (words.strikes or 0) > 0 then record = record .. ' strikes=' .. words.strikes end
  return record
end

-- Returns the words that a buyer's next claim has from the last one. `record` is the record of that claim, or false.
local function inherited(record)
  local strikes = strikes_of(record)
  return strikes > 0 and { strikes = strikes } or nil
end
