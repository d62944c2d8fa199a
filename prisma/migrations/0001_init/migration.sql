-- Everything a sale leaves behind. What must never be stored can't be: see the CHECKs and the partial indexes.

CREATE TABLE "sales" (
  "id"                 TEXT PRIMARY KEY CHECK ("id" ~ '^[A-Za-z0-9_-]{1,64}$'),
  "title"              TEXT NOT NULL,
  "price_minor"        BIGINT NOT NULL CHECK ("price_minor" >= 0),
  "currency"           TEXT NOT NULL CHECK ("currency" ~ '^[A-Z]{3}$'),
  "units"              INTEGER NOT NULL CHECK ("units" >= 1),
  "opens_at"           TIMESTAMPTZ(3) NOT NULL,
  "closes_at"          TIMESTAMPTZ(3) NOT NULL,
  "pay_within_seconds" INTEGER NOT NULL CHECK ("pay_within_seconds" >= 1),
  "settlement"         TEXT NOT NULL CHECK ("settlement" IN ('deferred', 'immediate')),
  "standby_factor"     INTEGER NOT NULL CHECK ("standby_factor" >= 0),
  "state"              TEXT NOT NULL DEFAULT 'open' CHECK ("state" IN ('open', 'paused', 'closed')),
  "generation"         INTEGER NOT NULL DEFAULT 1,
  "created_at"         TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,
  CHECK ("closes_at" > "opens_at")
);

-- The primary key is the claim's id. A claim is compensated only after a row that is not live holds its id,
-- so a late worker that tries to place it finds the row and does nothing.
CREATE TABLE "orders" (
  "id"           UUID PRIMARY KEY,
  "sale_id"      TEXT NOT NULL REFERENCES "sales" ("id") ON DELETE RESTRICT ON UPDATE RESTRICT,
  "buyer_id"     TEXT NOT NULL CHECK ("buyer_id" ~ '^[A-Za-z0-9_-]{1,64}$'),
  "unit"         INTEGER NOT NULL CHECK ("unit" >= 1),
  "status"       TEXT NOT NULL CHECK ("status" IN ('pending_payment', 'paid', 'refunded', 'cancelled', 'rejected', 'void')),
  "reason"       TEXT,
  "amount_minor" BIGINT NOT NULL CHECK ("amount_minor" >= 0),
  "currency"     TEXT NOT NULL,
  "pay_by"       TIMESTAMPTZ(3) NOT NULL,
  "placed_at"    TIMESTAMPTZ(3) NOT NULL DEFAULT clock_timestamp(),
  "paid_at"      TIMESTAMPTZ(3),
  "cancelled_at" TIMESTAMPTZ(3),
  "version"      INTEGER NOT NULL DEFAULT 1,
  CONSTRAINT "orders_paid_has_time" CHECK (("status" IN ('paid', 'refunded')) = ("paid_at" IS NOT NULL)),
  CONSTRAINT "orders_ended_has_reason" CHECK ("status" IN ('pending_payment', 'paid') OR "reason" IS NOT NULL),
  CONSTRAINT "orders_cancelled_has_time" CHECK ("status" <> 'cancelled' OR "cancelled_at" IS NOT NULL)
);

-- No unit twice, and no buyer twice, among the orders that are live.
CREATE UNIQUE INDEX "orders_live_unit" ON "orders" ("sale_id", "unit") WHERE "status" IN ('pending_payment', 'paid');
CREATE UNIQUE INDEX "orders_live_buyer" ON "orders" ("sale_id", "buyer_id") WHERE "status" IN ('pending_payment', 'paid');
CREATE INDEX "orders_overdue" ON "orders" ("pay_by") WHERE "status" = 'pending_payment';
CREATE INDEX "orders_sale_id_buyer_id_idx" ON "orders" ("sale_id", "buyer_id");

-- Statuses only move forward, and what was bought never changes.
CREATE FUNCTION "orders_only_forward"() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  IF (NEW."id", NEW."sale_id", NEW."buyer_id", NEW."unit", NEW."amount_minor", NEW."currency")
     IS DISTINCT FROM (OLD."id", OLD."sale_id", OLD."buyer_id", OLD."unit", OLD."amount_minor", OLD."currency") THEN
    RAISE EXCEPTION 'order %: what was bought never changes', OLD."id" USING ERRCODE = '23514';
  END IF;
  IF NEW."status" <> OLD."status" AND (OLD."status", NEW."status") NOT IN
     (('pending_payment', 'paid'), ('pending_payment', 'cancelled'), ('pending_payment', 'rejected'), ('paid', 'refunded')) THEN
    RAISE EXCEPTION 'order %: % never becomes %', OLD."id", OLD."status", NEW."status" USING ERRCODE = '23514';
  END IF;
  IF NEW."version" <> OLD."version" + 1 THEN
    RAISE EXCEPTION 'order %: the version goes up by one with each change', OLD."id" USING ERRCODE = '23514';
  END IF;
  RETURN NEW;
END $$;
CREATE TRIGGER "orders_only_forward" BEFORE UPDATE ON "orders" FOR EACH ROW EXECUTE FUNCTION "orders_only_forward"();

CREATE TABLE "accounts" (
  "id"            BIGSERIAL PRIMARY KEY,
  "kind"          TEXT NOT NULL CHECK ("kind" IN ('buyer', 'shop', 'external')),
  "owner"         TEXT NOT NULL,
  "currency"      TEXT NOT NULL CHECK ("currency" ~ '^[A-Z]{3}$'),
  "balance_minor" BIGINT CHECK ("balance_minor" >= 0),
  "created_at"    TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,
  CONSTRAINT "accounts_only_buyers_have_balance" CHECK (("kind" = 'buyer') = ("balance_minor" IS NOT NULL))
);
CREATE UNIQUE INDEX "accounts_kind_owner_currency_key" ON "accounts" ("kind", "owner", "currency");

CREATE TABLE "transfers" (
  "id"                BIGSERIAL PRIMARY KEY,
  "order_id"          UUID REFERENCES "orders" ("id") ON DELETE RESTRICT ON UPDATE RESTRICT,
  "kind"              TEXT NOT NULL CHECK ("kind" IN ('credit', 'capture', 'refund')),
  "debit_account_id"  BIGINT NOT NULL REFERENCES "accounts" ("id") ON DELETE RESTRICT ON UPDATE RESTRICT,
  "credit_account_id" BIGINT NOT NULL REFERENCES "accounts" ("id") ON DELETE RESTRICT ON UPDATE RESTRICT,
  "amount_minor"      BIGINT NOT NULL CHECK ("amount_minor" >= 0),
  "currency"          TEXT NOT NULL,
  "created_at"        TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,
  CONSTRAINT "transfers_between_two_accounts" CHECK ("debit_account_id" <> "credit_account_id"),
  CONSTRAINT "transfers_for_an_order_or_credit" CHECK (("kind" = 'credit') = ("order_id" IS NULL))
);
CREATE UNIQUE INDEX "transfers_order_id_kind_key" ON "transfers" ("order_id", "kind");
CREATE INDEX "transfers_debit_account_id_idx" ON "transfers" ("debit_account_id");
CREATE INDEX "transfers_credit_account_id_idx" ON "transfers" ("credit_account_id");

CREATE TABLE "payment_events" (
  "id"          BIGSERIAL PRIMARY KEY,
  "provider"    TEXT NOT NULL,
  "event_id"    TEXT NOT NULL,
  "order_id"    UUID,
  "payload"     JSONB NOT NULL,
  "received_at" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP
);
CREATE UNIQUE INDEX "payment_events_provider_event_id_key" ON "payment_events" ("provider", "event_id");

CREATE TABLE "outbox_events" (
  "id"           BIGSERIAL PRIMARY KEY,
  "kind"         TEXT NOT NULL CHECK ("kind" IN ('release')),
  "sale_id"      TEXT NOT NULL,
  "order_id"     UUID NOT NULL,
  "payload"      JSONB NOT NULL,
  "created_at"   TIMESTAMPTZ(3) NOT NULL DEFAULT clock_timestamp(),
  "delivered_at" TIMESTAMPTZ(3)
);
CREATE UNIQUE INDEX "outbox_events_order_id_kind_key" ON "outbox_events" ("order_id", "kind");
CREATE INDEX "outbox_events_undelivered" ON "outbox_events" ("id") WHERE "delivered_at" IS NULL;

CREATE TABLE "repairs" (
  "id"         BIGSERIAL PRIMARY KEY,
  "sale_id"    TEXT NOT NULL,
  "claim_id"   UUID,
  "kind"       TEXT NOT NULL,
  "detail"     JSONB NOT NULL,
  "created_at" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP
);
CREATE INDEX "repairs_sale_id_idx" ON "repairs" ("sale_id");
