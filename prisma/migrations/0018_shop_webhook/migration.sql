-- Whether the shop wants notices is a row, and no longer a setting of each connection: a pooler drops settings. Workers with the
-- settings of the shop's webhook move this time on.
CREATE TABLE "shop_webhook" (
  "id"           INTEGER PRIMARY KEY CHECK ("id" = 1),
  "wanted_until" TIMESTAMPTZ(3) NOT NULL
);
-- A shop that had notices wants them until the first new worker runs.
INSERT INTO "shop_webhook" ("id", "wanted_until")
SELECT 1, clock_timestamp() + interval '366 days' WHERE EXISTS (SELECT FROM "outbox_events" WHERE "kind" <> 'release');

-- The process that runs a maintenance actor, and until when. Not logged: the rows mean nothing after a crash, and cost no write to disk.
CREATE UNLOGGED TABLE "actor_leases" (
  "actor"  TEXT PRIMARY KEY,
  "holder" UUID NOT NULL,
  "until"  TIMESTAMPTZ(3) NOT NULL
);

-- The triggers for each row read a setting, which costs them next to nothing. This one writes it once for each statement, until the
-- end of the transaction. A connection of an older version has the setting itself. The processes may lack the right to read
-- the table during an upgrade, so the function has the rights of its owner.
CREATE FUNCTION "ask_for_shop_webhook"() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER SET search_path FROM CURRENT AS $$
BEGIN
  IF EXISTS (SELECT FROM "shop_webhook" WHERE "wanted_until" > clock_timestamp()) THEN
    PERFORM set_config('dropline.shop_webhooks', 'on', true);
  END IF;
  RETURN NULL;
END $$;
CREATE TRIGGER "orders_ask_for_shop_webhook" BEFORE INSERT OR UPDATE OF "status", "refunded_minor" ON "orders"
  FOR EACH STATEMENT EXECUTE FUNCTION "ask_for_shop_webhook"();
