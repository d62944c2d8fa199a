-- What went back of a paid order. A refunded order has given everything back.
ALTER TABLE "orders" ADD COLUMN "refunded_minor" BIGINT NOT NULL DEFAULT 0;
-- NOT VALID saves the scan of a large table under a lock that holds everybody; 0015 makes it up.
ALTER TABLE "orders" ADD CONSTRAINT "orders_refunded_within_price"
  CHECK ("refunded_minor" BETWEEN 0 AND "amount_minor") NOT VALID;

-- The shop hears of each part that goes back. Each payload says how much went back in all.
CREATE FUNCTION "orders_tell_shop_of_part"() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  INSERT INTO "outbox_events" ("kind", "sale_id", "order_id", "part", "payload")
  SELECT 'order.partially_refunded', NEW."sale_id", NEW."id",
    (SELECT coalesce(max("part") + 1, 0) FROM "outbox_events" WHERE "order_id" = NEW."id" AND "kind" = 'order.partially_refunded'),
    jsonb_build_object(
      'buyerId', NEW."buyer_id", 'unit', NEW."unit", 'status', NEW."status", 'reason', NEW."reason",
      'amountMinor', NEW."amount_minor", 'currency', NEW."currency", 'refundedMinor', NEW."refunded_minor");
  RETURN NULL;
END $$;
CREATE TRIGGER "orders_tell_shop_of_part" AFTER UPDATE OF "refunded_minor" ON "orders" FOR EACH ROW
  WHEN (current_setting('dropline.shop_webhooks', true) = 'on' AND NEW."status" = 'paid'
        AND NEW."refunded_minor" > OLD."refunded_minor")
  EXECUTE FUNCTION "orders_tell_shop_of_part"();
