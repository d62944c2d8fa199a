-- Rules about one buyer's purchases across sales; both are off unless the operator asks for them.

ALTER TABLE "sales"
  ADD COLUMN "one_purchase_at_a_time" BOOLEAN NOT NULL DEFAULT false,
  ADD COLUMN "min_seconds_between_purchases" INTEGER NOT NULL DEFAULT 0 CHECK ("min_seconds_between_purchases" >= 0);
