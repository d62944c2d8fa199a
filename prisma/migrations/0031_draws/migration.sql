-- How a sale opens. A shuffle or a draw has a line that buyers join from `joins_at` on; lots make its order at the opening.
ALTER TABLE "sales"
  ADD COLUMN "opening"  TEXT NOT NULL DEFAULT 'rush' CHECK ("opening" IN ('rush', 'shuffle', 'draw')),
  ADD COLUMN "joins_at" TIMESTAMPTZ(3),
  ADD CONSTRAINT "sales_joins_at" CHECK (("joins_at" IS NULL) = ("opening" = 'rush') AND ("joins_at" IS NULL OR "joins_at" < "opens_at"));

-- The order of the line of a sale. A column is written once and never changes, in the order of the columns.
CREATE TABLE "draws" (
  "sale_id"       TEXT PRIMARY KEY REFERENCES "sales" ("id") ON DELETE RESTRICT ON UPDATE RESTRICT,
  -- Secret until the order is decided. Its SHA-256 is published when the sale is created.
  "seed"          BYTEA NOT NULL CHECK (octet_length("seed") = 32),
  -- Secret. It hides who has joined.
  "salt_key"      BYTEA NOT NULL CHECK (octet_length("salt_key") = 32),
  -- The public value that will be used, in words; NULL for none.
  "value_source"  TEXT,
  -- The one that is used if the first one never comes.
  "value_substitute" TEXT,
  -- The round of the beacon that the workers ask for the value.
  "beacon_round"  BIGINT,
  -- No entry is added to the published list after that.
  "closed_at"     TIMESTAMPTZ(3),
  -- The published list: the number of its entries, and the root of its Merkle tree.
  "entries"       INTEGER,
  "root"          BYTEA CHECK (octet_length("root") = 32),
  "value"         TEXT,
  "is_substitute" BOOLEAN,
  "decided_at"    TIMESTAMPTZ(3),
  -- The line has its order, and the units were offered to the first buyers.
  "dealt_at"      TIMESTAMPTZ(3),
  CHECK (num_nulls("entries", "root") IN (0, 2)),
  CHECK ("root" IS NULL OR "closed_at" IS NOT NULL),
  CHECK (num_nulls("value", "is_substitute", "decided_at") IN (0, 3)),
  CHECK ("decided_at" IS NULL OR "root" IS NOT NULL),
  CHECK ("dealt_at" IS NULL OR "decided_at" IS NOT NULL)
);
CREATE INDEX "draws_undealt" ON "draws" ("sale_id") WHERE "dealt_at" IS NULL;

-- What was decided never changes: a second order would be another truth for everybody in the line.
CREATE FUNCTION "keep_draw"() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  IF NEW."seed" <> OLD."seed" OR NEW."salt_key" <> OLD."salt_key"
     OR (OLD."closed_at" IS NOT NULL AND NEW."closed_at" IS DISTINCT FROM OLD."closed_at")
     OR (OLD."root" IS NOT NULL AND (NEW."root" IS DISTINCT FROM OLD."root" OR NEW."entries" IS DISTINCT FROM OLD."entries"))
     OR (OLD."decided_at" IS NOT NULL AND (NEW."value", NEW."is_substitute", NEW."decided_at") IS DISTINCT FROM (OLD."value", OLD."is_substitute", OLD."decided_at"))
     OR (NEW."value_source", NEW."value_substitute", NEW."beacon_round") IS DISTINCT FROM (OLD."value_source", OLD."value_substitute", OLD."beacon_round")
  THEN RAISE EXCEPTION 'a draw that was decided never changes' USING ERRCODE = 'check_violation';
  END IF;
  RETURN NEW;
END
$$;
CREATE TRIGGER "draws_kept" BEFORE UPDATE ON "draws" FOR EACH ROW EXECUTE FUNCTION "keep_draw"();

-- Everybody who joined before the opening, once. `change` counts the changes of all entries of a sale; a change that arrives late is
-- known by it.
CREATE TABLE "entries" (
  "sale_id"    TEXT NOT NULL REFERENCES "draws" ("sale_id") ON DELETE RESTRICT ON UPDATE RESTRICT,
  "number"     BIGINT NOT NULL CHECK ("number" > 0),
  "buyer_id"   TEXT NOT NULL CHECK ("buyer_id" ~ '^[A-Za-z0-9_-]+$' AND length("buyer_id") BETWEEN 1 AND 64),
  "change"     BIGINT NOT NULL,
  -- Whether the published list has the entry. It never changes once the draw is closed.
  "is_in"      BOOLEAN NOT NULL,
  -- Whether the buyer has not left the line.
  "is_waiting" BOOLEAN NOT NULL,
  PRIMARY KEY ("sale_id", "buyer_id")
);
CREATE INDEX "entries_in_order" ON "entries" ("sale_id", "number", "buyer_id");
