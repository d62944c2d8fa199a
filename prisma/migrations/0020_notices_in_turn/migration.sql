-- outside a transaction
-- Notices are read in the order in which they become due, page by page.
CREATE INDEX CONCURRENTLY "outbox_events_in_turn" ON "outbox_events" ("attempt_at", "id")
  WHERE "delivered_at" IS NULL AND "dead_at" IS NULL AND "kind" <> 'release';
