-- Payments as amounts: money goes back in parts, and a bank withholds it after a dispute.

-- A payment's amounts, in minor units of the money that was taken. They only grow, so the provider's messages may come in any
-- order. In the statuses refund_due and refunded, all that was taken is to go back, whatever `refund_minor` says: an older
-- version writes only the status.
ALTER TABLE "payments"
  -- What is to go back in all: decided here, or done at the provider.
  ADD COLUMN "refund_minor" BIGINT NOT NULL DEFAULT 0,
  -- What the provider says it returned.
  ADD COLUMN "returned_minor" BIGINT NOT NULL DEFAULT 0,
  -- What went back without the provider: into the wallet, or by hand.
  ADD COLUMN "elsewhere_minor" BIGINT NOT NULL DEFAULT 0,
  -- The refund that the provider was asked for and has not answered: its amount, and `returned_minor` at that time.
  ADD COLUMN "refunding_minor" BIGINT,
  ADD COLUMN "refunding_from_minor" BIGINT;

-- A dispute: the buyer's bank takes money back, and keeps or returns it when the dispute ends. An inquiry takes nothing.
CREATE TABLE "disputes" (
  "id"                  BIGSERIAL PRIMARY KEY,
  "payment_id"          BIGINT NOT NULL REFERENCES "payments" ("id") ON DELETE RESTRICT ON UPDATE RESTRICT,
  "provider"            TEXT NOT NULL,
  "provider_dispute_id" TEXT NOT NULL,
  "status"              TEXT NOT NULL CHECK ("status" IN ('inquiry', 'open', 'won', 'lost')),
  "amount_minor"        BIGINT NOT NULL CHECK ("amount_minor" >= 0),
  "currency"            TEXT NOT NULL CHECK ("currency" ~ '^[A-Z]{3}$'),
  "created_at"          TIMESTAMPTZ(3) NOT NULL DEFAULT clock_timestamp(),
  "ended_at"            TIMESTAMPTZ(3)
);
CREATE UNIQUE INDEX "disputes_provider_provider_dispute_id_key" ON "disputes" ("provider", "provider_dispute_id");
CREATE INDEX "disputes_payment_id_idx" ON "disputes" ("payment_id");

-- What went back of a paid order. A refunded order has given everything back.
ALTER TABLE "orders" ADD COLUMN "refunded_minor" BIGINT NOT NULL DEFAULT 0;
ALTER TABLE "orders" ADD CONSTRAINT "orders_refunded_within_price"
  CHECK ("refunded_minor" BETWEEN 0 AND "amount_minor") NOT VALID;

-- Several transfers and notices of one kind may belong to an order. Part 0 is the only one that an older version writes.
ALTER TABLE "transfers" ADD COLUMN "part" INTEGER NOT NULL DEFAULT 0;
ALTER TABLE "transfers" DROP CONSTRAINT "transfers_kind_check";
-- NOT VALID saves the scan of a large table. The old rows passed a narrower check.
ALTER TABLE "transfers" ADD CONSTRAINT "transfers_kind_check"
  CHECK ("kind" IN ('credit', 'capture', 'refund', 'refund_to_wallet', 'dispute', 'dispute_reversal')) NOT VALID;
ALTER TABLE "outbox_events" ADD COLUMN "part" INTEGER NOT NULL DEFAULT 0;
ALTER TABLE "outbox_events" DROP CONSTRAINT "outbox_events_kind_check";
ALTER TABLE "outbox_events" ADD CONSTRAINT "outbox_events_kind_check"
  CHECK ("kind" IN ('release', 'order.placed', 'order.paid', 'order.cancelled', 'order.refunded', 'order.partially_refunded',
                    'payment.disputed', 'payment.dispute_closed')) NOT VALID;

-- An order never gives back more than it took. An older version that refunds an order whole fails here if a part went back before.
CREATE FUNCTION "transfers_within_capture"() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  IF (SELECT sum(CASE "kind" WHEN 'capture' THEN "amount_minor" WHEN 'refund' THEN -"amount_minor" END)
      FROM "transfers" WHERE "order_id" = NEW."order_id") < 0 THEN
    RAISE EXCEPTION 'order %: more goes back than was taken', NEW."order_id" USING ERRCODE = '23514';
  END IF;
  RETURN NULL;
END $$;
CREATE TRIGGER "transfers_within_capture" AFTER INSERT ON "transfers" FOR EACH ROW
  WHEN (NEW."kind" = 'refund') EXECUTE FUNCTION "transfers_within_capture"();

-- The shop hears of each part that goes back, and of disputes. Each payload says how much went back in all.
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

CREATE FUNCTION "disputes_tell_shop"() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
  "notice" TEXT := CASE WHEN NEW."status" IN ('won', 'lost') THEN 'payment.dispute_closed' ELSE 'payment.disputed' END;
BEGIN
  INSERT INTO "outbox_events" ("kind", "sale_id", "order_id", "part", "payload")
  SELECT "notice", o."sale_id", o."id",
    (SELECT coalesce(max(e."part") + 1, 0) FROM "outbox_events" e WHERE e."order_id" = o."id" AND e."kind" = "notice"),
    jsonb_build_object(
      'buyerId', o."buyer_id", 'unit', o."unit", 'status', o."status", 'reason', o."reason",
      'amountMinor', o."amount_minor", 'currency', o."currency", 'refundedMinor', o."refunded_minor",
      'dispute', jsonb_build_object(
        'id', NEW."provider_dispute_id", 'status', NEW."status", 'amountMinor', NEW."amount_minor", 'currency', NEW."currency"))
  FROM "payments" p JOIN "orders" o ON o."id" = coalesce(p."paid_order_id", p."order_id") WHERE p."id" = NEW."payment_id";
  RETURN NULL;
END $$;
CREATE TRIGGER "disputes_tell_shop_of_new" AFTER INSERT ON "disputes" FOR EACH ROW
  WHEN (current_setting('dropline.shop_webhooks', true) = 'on') EXECUTE FUNCTION "disputes_tell_shop"();
CREATE TRIGGER "disputes_tell_shop_of_change" AFTER UPDATE OF "status" ON "disputes" FOR EACH ROW
  WHEN (current_setting('dropline.shop_webhooks', true) = 'on' AND NEW."status" <> OLD."status")
  EXECUTE FUNCTION "disputes_tell_shop"();
