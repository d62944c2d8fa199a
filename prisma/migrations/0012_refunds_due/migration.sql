-- outside a transaction
CREATE INDEX CONCURRENTLY "payments_to_refund" ON "payments" ("refund_at") WHERE "refund_at" IS NOT NULL;
