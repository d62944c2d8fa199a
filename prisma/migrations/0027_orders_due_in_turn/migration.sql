-- outside a transaction
-- Overdue orders are read page by page. Many have the same deadline, so a page begins after an id.
CREATE INDEX CONCURRENTLY "orders_due_in_turn" ON "orders" ("pay_by", "id") WHERE "status" = 'pending_payment';
