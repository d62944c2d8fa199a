-- Payments as amounts: money goes back in parts, and a bank withholds it after a dispute. Each large table has a script of
-- its own (0007 to 0009), so no transaction holds one of them while it waits for another.

-- A payment's amounts, in minor units of the money that was taken. The totals only grow, so the provider's messages may come in
-- any order. In the statuses refund_due and refunded, all that was taken is to go back, whatever `refund_minor` says: an older
-- version writes only the status.
ALTER TABLE "payments"
  -- What is to go back in all: decided here, or done at the provider.
  ADD COLUMN "refund_minor" BIGINT NOT NULL DEFAULT 0,
  -- What the provider says it returned.
  ADD COLUMN "returned_minor" BIGINT NOT NULL DEFAULT 0,
  -- What went back without the provider: into the wallet, or by hand.
  ADD COLUMN "compensated_minor" BIGINT NOT NULL DEFAULT 0,
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

-- The shop hears of disputes.
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
