-- outside a transaction
-- Placing a claim asks whether its unit came back unpaid before.
CREATE INDEX CONCURRENTLY "orders_came_back" ON "orders" ("sale_id", "unit") WHERE "status" IN ('cancelled', 'rejected');
