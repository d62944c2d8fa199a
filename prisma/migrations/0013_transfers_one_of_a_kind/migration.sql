-- outside a transaction
-- The index of 0010 has taken its place. The first transfer of a kind still has part 0, once.
DROP INDEX CONCURRENTLY IF EXISTS "transfers_order_id_kind_key";
