-- What holding without paying costs, and what robots get to see. All of it is off for sales that exist already.
ALTER TABLE "sales"
  -- After this many ends without payment, a buyer gets no unit of the sale any more; 0 for no such rule.
  ADD COLUMN "unpaid_limit"             INTEGER NOT NULL DEFAULT 0 CHECK ("unpaid_limit" BETWEEN 0 AND 100),
  -- The time to pay a unit that came back unpaid; NULL for the ordinary one.
  ADD COLUMN "retry_pay_within_seconds" INTEGER CHECK ("retry_pay_within_seconds" BETWEEN 1 AND "pay_within_seconds"),
  -- The most units of one group of buyers at one time; 0 for no such rule.
  ADD COLUMN "per_group"                INTEGER NOT NULL DEFAULT 0 CHECK ("per_group" BETWEEN 0 AND 1000),
  ADD COLUMN "needs_pass"               BOOLEAN NOT NULL DEFAULT false,
  -- The proof of work that a pass costs; 0 for none.
  ADD COLUMN "pass_work"                INTEGER NOT NULL DEFAULT 0 CHECK ("pass_work" BETWEEN 0 AND 1000000),
  -- Until then the sale is hidden.
  ADD COLUMN "announce_at"              TIMESTAMPTZ(3),
  ADD COLUMN "coarse_stock"             BOOLEAN NOT NULL DEFAULT false,
  -- Decides the order in which units are dealt; NULL for 1, 2, 3.
  ADD COLUMN "unit_seed"                BYTEA CHECK (octet_length("unit_seed") = 32),
  ADD CONSTRAINT "sales_pass_work" CHECK ("needs_pass" OR "pass_work" = 0),
  ADD CONSTRAINT "sales_announce_at" CHECK ("announce_at" <= LEAST("joins_at", "opens_at"));

-- The group that the buyer's token named at the claim, such as a household; NULL for none. NOT VALID saves the scan of a large table
-- under a lock that holds everybody; 0033 makes it up.
ALTER TABLE "orders" ADD COLUMN "buyer_group" TEXT;
ALTER TABLE "orders" ADD CONSTRAINT "orders_buyer_group_check"
  CHECK ("buyer_group" ~ '^[A-Za-z0-9_-]+$' AND length("buyer_group") BETWEEN 1 AND 64) NOT VALID;
ALTER TABLE "entries" ADD COLUMN "buyer_group" TEXT
  CHECK ("buyer_group" ~ '^[A-Za-z0-9_-]+$' AND length("buyer_group") BETWEEN 1 AND 64);
