-- Money from outside: who takes it for a sale, what became of it there, and what the shop is told.

ALTER TABLE "sales"
  ADD COLUMN "provider" TEXT NOT NULL DEFAULT 'wallet' CHECK ("provider" IN ('wallet', 'signed-webhook')),
  ADD COLUMN "late_money" TEXT NOT NULL DEFAULT 'regrab' CHECK ("late_money" IN ('regrab', 'refund')),
  -- Only a wallet can be debited in the transaction that places the order, and no provider takes a payment of nothing.
  ADD CONSTRAINT "sales_provider_fits" CHECK ("provider" = 'wallet' OR ("settlement" = 'deferred' AND "price_minor" > 0));

-- A wallet is updated by every payment: with room on its page, none of its indexes is touched by that.
ALTER TABLE "accounts" SET (fillfactor = 50);

-- Money that a provider could not give back goes into the buyer's wallet.
ALTER TABLE "transfers" DROP CONSTRAINT "transfers_kind_check";
ALTER TABLE "transfers" ADD CONSTRAINT "transfers_kind_check"
  CHECK ("kind" IN ('credit', 'capture', 'refund', 'refund_to_wallet'));

-- One row for each order that is paid through a provider, written before the provider hears of it.
--   requested    the provider may know of it or not
--   open         the provider waits for the buyer
--   paid         an order is paid with it: `paid_order_id`
--   late         the money came after the order had ended; it is not decided yet what becomes of it
--   refund_due   the money goes back; the provider has not confirmed it
--   refunded     the money went back, to the provider or into the wallet
--   failed       the provider took nothing, and won't any more
CREATE TABLE "payments" (
  "id"                  BIGSERIAL PRIMARY KEY,
  "order_id"            UUID NOT NULL REFERENCES "orders" ("id") ON DELETE RESTRICT ON UPDATE RESTRICT,
  "provider"            TEXT NOT NULL,
  "provider_payment_id" TEXT,
  "pay_url"             TEXT,
  "amount_minor"        BIGINT NOT NULL CHECK ("amount_minor" > 0),
  "currency"            TEXT NOT NULL CHECK ("currency" ~ '^[A-Z]{3}$'),
  "status"              TEXT NOT NULL DEFAULT 'requested'
    CHECK ("status" IN ('requested', 'open', 'paid', 'late', 'refund_due', 'refunded', 'failed')),
  -- The order that the money paid for: another one than `order_id` when a unit was taken again for late money.
  "paid_order_id"       UUID REFERENCES "orders" ("id") ON DELETE RESTRICT ON UPDATE RESTRICT,
  -- The claim under which a unit is taken again. It is chosen once, so that trying again is the same claim.
  "regrab_claim_id"     UUID NOT NULL DEFAULT gen_random_uuid(),
  -- What the provider says it took, where that is not what was asked for.
  "mismatch"            JSONB,
  -- When the provider is asked next, and how often it was; null when there is nothing left to ask.
  "ask_at"              TIMESTAMPTZ(3),
  "asked"               INTEGER NOT NULL DEFAULT 0,
  -- When a refund is tried next, and how often it was.
  "refund_at"           TIMESTAMPTZ(3),
  "refund_tries"        INTEGER NOT NULL DEFAULT 0,
  "created_at"          TIMESTAMPTZ(3) NOT NULL DEFAULT clock_timestamp(),
  "updated_at"          TIMESTAMPTZ(3) NOT NULL DEFAULT clock_timestamp(),
  CONSTRAINT "payments_paid_has_order" CHECK ("status" <> 'paid' OR "paid_order_id" IS NOT NULL)
);
CREATE UNIQUE INDEX "payments_order_id_key" ON "payments" ("order_id");
CREATE UNIQUE INDEX "payments_paid_order_id_key" ON "payments" ("paid_order_id");
CREATE UNIQUE INDEX "payments_provider_provider_payment_id_key" ON "payments" ("provider", "provider_payment_id");
CREATE INDEX "payments_to_ask" ON "payments" ("ask_at") WHERE "ask_at" IS NOT NULL;
CREATE INDEX "payments_to_settle" ON "payments" ("id") WHERE "status" IN ('late', 'refund_due');

-- What became of each event: paid, late, repeated, refunded, mismatch, unknown_payment, ignored.
ALTER TABLE "payment_events"
  ADD COLUMN "payment_id" BIGINT REFERENCES "payments" ("id") ON DELETE RESTRICT ON UPDATE RESTRICT,
  ADD COLUMN "outcome" TEXT;
CREATE INDEX "payment_events_payment_id_idx" ON "payment_events" ("payment_id");

-- Units that were refunded and did not return to stock: neither free nor anybody's, until the end of the sale.
CREATE TABLE "withdrawn_units" (
  "sale_id"    TEXT NOT NULL REFERENCES "sales" ("id") ON DELETE RESTRICT ON UPDATE RESTRICT,
  "unit"       INTEGER NOT NULL CHECK ("unit" >= 1),
  "order_id"   UUID NOT NULL REFERENCES "orders" ("id") ON DELETE RESTRICT ON UPDATE RESTRICT,
  "created_at" TIMESTAMPTZ(3) NOT NULL DEFAULT clock_timestamp(),
  PRIMARY KEY ("sale_id", "unit")
);

-- The shop's webhooks are events like the releases, with a delivery that may fail for long.
ALTER TABLE "outbox_events" DROP CONSTRAINT "outbox_events_kind_check";
ALTER TABLE "outbox_events"
  ADD CONSTRAINT "outbox_events_kind_check"
    CHECK ("kind" IN ('release', 'order.placed', 'order.paid', 'order.cancelled', 'order.refunded')),
  ADD COLUMN "attempts" INTEGER NOT NULL DEFAULT 0,
  ADD COLUMN "attempt_at" TIMESTAMPTZ(3) NOT NULL DEFAULT clock_timestamp(),
  ADD COLUMN "dead_at" TIMESTAMPTZ(3),
  ADD COLUMN "last_error" TEXT;
DROP INDEX "outbox_events_undelivered";
CREATE INDEX "outbox_events_undelivered" ON "outbox_events" ("id") WHERE "delivered_at" IS NULL AND "kind" = 'release';
CREATE INDEX "outbox_events_untold" ON "outbox_events" ("order_id", "id") WHERE "delivered_at" IS NULL AND "kind" <> 'release';
CREATE INDEX "outbox_events_due" ON "outbox_events" ("attempt_at")
  WHERE "delivered_at" IS NULL AND "dead_at" IS NULL AND "kind" <> 'release';

-- What happens to an order is written down for the shop in the statement that makes it happen, whichever that is. A connection
-- says whether there is a shop to tell (core/orders/database.ts): where it doesn't, the WHEN below costs less than a microsecond.
CREATE FUNCTION "orders_tell_shop"() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
  "kinds" TEXT[];
BEGIN
  IF TG_OP = 'INSERT' THEN
    -- A tombstone, and an order that was cancelled or rejected as it was placed, never was an order to the shop.
    "kinds" := CASE NEW."status" WHEN 'pending_payment' THEN ARRAY['order.placed']
                                 WHEN 'paid' THEN ARRAY['order.placed', 'order.paid'] END;
  ELSE
    "kinds" := CASE NEW."status" WHEN 'paid' THEN ARRAY['order.paid']
                                 WHEN 'refunded' THEN ARRAY['order.refunded']
                                 ELSE ARRAY['order.cancelled'] END;
  END IF;
  INSERT INTO "outbox_events" ("kind", "sale_id", "order_id", "payload")
  SELECT k, NEW."sale_id", NEW."id", jsonb_build_object(
    'buyerId', NEW."buyer_id", 'unit', NEW."unit", 'status', NEW."status", 'reason', NEW."reason",
    'amountMinor', NEW."amount_minor", 'currency', NEW."currency")
  FROM unnest("kinds") WITH ORDINALITY AS t (k, n) ORDER BY n;
  RETURN NULL;
END $$;
CREATE TRIGGER "orders_tell_shop_of_new" AFTER INSERT ON "orders" FOR EACH ROW
  WHEN (current_setting('dropline.shop_webhooks', true) = 'on' AND NEW."status" IN ('pending_payment', 'paid'))
  EXECUTE FUNCTION "orders_tell_shop"();
CREATE TRIGGER "orders_tell_shop_of_change" AFTER UPDATE OF "status" ON "orders" FOR EACH ROW
  WHEN (current_setting('dropline.shop_webhooks', true) = 'on' AND NEW."status" <> OLD."status")
  EXECUTE FUNCTION "orders_tell_shop"();
