-- outside a transaction
CREATE UNIQUE INDEX CONCURRENTLY "transfers_order_id_kind_part_key" ON "transfers" ("order_id", "kind", "part");
