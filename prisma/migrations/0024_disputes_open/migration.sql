-- outside a transaction
CREATE INDEX CONCURRENTLY "disputes_open" ON "disputes" ("payment_id") WHERE "status" = 'open';
