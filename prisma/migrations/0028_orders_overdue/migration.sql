-- outside a transaction
-- The index of 0027 has taken its place, also for an older version.
DROP INDEX CONCURRENTLY IF EXISTS "orders_overdue";
