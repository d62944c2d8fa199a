-- How far the books, which are accounts and transfers, were checked. Most of them never change again, so an audit reads only
-- what is newer than the checkpoint, and what is broken. At most one row.
CREATE TABLE "books_checkpoint" (
  "id"                 INTEGER PRIMARY KEY CHECK ("id" = 1),
  -- Every transfer and every account up to these ids was checked.
  "transfer_id"        BIGINT NOT NULL DEFAULT 0,
  "account_id"         BIGINT NOT NULL DEFAULT 0,
  -- The highest ids at `seen_at`. A while later, every row up to them is committed, or will never be.
  "seen_transfer_id"   BIGINT NOT NULL DEFAULT 0,
  "seen_account_id"    BIGINT NOT NULL DEFAULT 0,
  "seen_at"            TIMESTAMPTZ(3) NOT NULL DEFAULT clock_timestamp(),
  -- The walk that checks again everything up to the checkpoint, page by page, and then begins again.
  "walked_transfer_id" BIGINT NOT NULL DEFAULT 0,
  "walked_account_id"  BIGINT NOT NULL DEFAULT 0,
  "walk_began_at"      TIMESTAMPTZ(3) NOT NULL DEFAULT clock_timestamp(),
  -- When the last complete walk began.
  "walked_at"          TIMESTAMPTZ(3)
);

-- The rows that were found to break a rule. Every audit reads them again.
CREATE TABLE "books_findings" (
  "kind"     TEXT NOT NULL CHECK ("kind" IN ('transfer', 'account')),
  "row_id"   BIGINT NOT NULL,
  "found_at" TIMESTAMPTZ(3) NOT NULL DEFAULT clock_timestamp(),
  PRIMARY KEY ("kind", "row_id")
);
