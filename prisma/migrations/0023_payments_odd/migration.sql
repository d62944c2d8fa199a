-- outside a transaction
-- The payments that an operator should look at, but for open disputes.
CREATE INDEX CONCURRENTLY "payments_odd" ON "payments" ("id")
  WHERE "mismatch" IS NOT NULL OR ("refund_at" IS NOT NULL AND "refund_tries" >= 3)
     OR ("status" = 'paid' AND "refund_minor" >= "amount_minor");
