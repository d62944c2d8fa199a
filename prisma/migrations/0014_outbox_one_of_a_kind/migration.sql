-- outside a transaction
-- The index of 0011 has taken its place. The first notice of a kind still has part 0, once.
DROP INDEX CONCURRENTLY IF EXISTS "outbox_events_order_id_kind_key";
