-- outside a transaction
-- The dead letters, of which there are few.
CREATE INDEX CONCURRENTLY "outbox_events_dead" ON "outbox_events" ("id") WHERE "dead_at" IS NOT NULL AND "delivered_at" IS NULL;
