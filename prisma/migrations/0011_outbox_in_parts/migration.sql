-- outside a transaction
CREATE UNIQUE INDEX CONCURRENTLY "outbox_events_order_id_kind_part_key" ON "outbox_events" ("order_id", "kind", "part");
