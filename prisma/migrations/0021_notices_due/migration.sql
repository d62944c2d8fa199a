-- outside a transaction
-- The index of 0020 has taken its place, also for an older version.
DROP INDEX CONCURRENTLY IF EXISTS "outbox_events_due";
