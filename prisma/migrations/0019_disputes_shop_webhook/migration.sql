-- As in 0018, for the notices about disputes.
CREATE TRIGGER "disputes_ask_for_shop_webhook" BEFORE INSERT OR UPDATE OF "status" ON "disputes"
  FOR EACH STATEMENT EXECUTE FUNCTION "ask_for_shop_webhook"();
