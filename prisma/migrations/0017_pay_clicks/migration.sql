-- The time of the click that asked for a payment, by Redis's clock, and how long the click had to wait for this row. The time
-- to pay is as much longer. The provider knows it, so it never changes.
ALTER TABLE "payments" ADD COLUMN "clicked_at" TIMESTAMPTZ(3), ADD COLUMN "waited_ms" INTEGER NOT NULL DEFAULT 0;
