-- Several transfers of one kind may belong to an order. Part 0 is the only one that an older version writes.
ALTER TABLE "transfers" ADD COLUMN "part" INTEGER NOT NULL DEFAULT 0;
ALTER TABLE "transfers" DROP CONSTRAINT "transfers_kind_check";
-- As in 0007, the scan comes later.
ALTER TABLE "transfers" ADD CONSTRAINT "transfers_kind_check"
  CHECK ("kind" IN ('credit', 'capture', 'refund', 'refund_to_wallet', 'dispute', 'dispute_reversal')) NOT VALID;

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
