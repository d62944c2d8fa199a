-- The indexes of 0007 and 0008 have taken their place. The first transfer and notice of a kind still have part 0, once.
DROP INDEX "transfers_order_id_kind_key";
DROP INDEX "outbox_events_order_id_kind_key";
