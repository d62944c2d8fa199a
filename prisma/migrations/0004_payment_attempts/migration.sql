-- A payment that failed at its provider may be tried again, while there is time to pay.

-- Each attempt is a payment of its own, with a name of its own at the provider.
ALTER TABLE "payments" ADD COLUMN "attempt" INTEGER NOT NULL DEFAULT 1 CHECK ("attempt" >= 1);
DROP INDEX "payments_order_id_key";
CREATE UNIQUE INDEX "payments_order_id_attempt_key" ON "payments" ("order_id", "attempt");
-- The next one begins when the one before has failed for certain: only one of them waits for money.
CREATE UNIQUE INDEX "payments_one_attempt" ON "payments" ("order_id") WHERE "status" IN ('requested', 'open');
