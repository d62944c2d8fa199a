-- outside a transaction
-- Finds the payments that have changed a moment ago, so that their sales are compared with Redis.
CREATE INDEX CONCURRENTLY "payments_updated" ON "payments" ("updated_at");
