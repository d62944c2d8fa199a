-- Several notices of one kind may belong to an order. Part 0 is the only one that an older version writes.
ALTER TABLE "outbox_events" ADD COLUMN "part" INTEGER NOT NULL DEFAULT 0;
ALTER TABLE "outbox_events" DROP CONSTRAINT "outbox_events_kind_check";
-- As in 0007, the scan comes later.
ALTER TABLE "outbox_events" ADD CONSTRAINT "outbox_events_kind_check"
  CHECK ("kind" IN ('release', 'order.placed', 'order.paid', 'order.cancelled', 'order.refunded', 'order.partially_refunded',
                    'payment.disputed', 'payment.dispute_closed')) NOT VALID;
