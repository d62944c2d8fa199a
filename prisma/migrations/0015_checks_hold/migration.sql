-- The rows from before 0007 to 0009 are checked, too. This reads the tables whole, and holds no writer.
ALTER TABLE "orders" VALIDATE CONSTRAINT "orders_refunded_within_price";
ALTER TABLE "transfers" VALIDATE CONSTRAINT "transfers_kind_check";
ALTER TABLE "outbox_events" VALIDATE CONSTRAINT "outbox_events_kind_check";
