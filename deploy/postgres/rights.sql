-- The role of the processes, with the least rights. The owner of the schema runs this after each migration. A repeat is a no-op.
DO $$
BEGIN
  CREATE ROLE dropline_app LOGIN;
EXCEPTION
  WHEN duplicate_object THEN NULL;
END
$$;
GRANT USAGE ON SCHEMA public TO dropline_app;
GRANT SELECT, INSERT, UPDATE ON sales, orders, accounts, payments, disputes, payment_events, outbox_events TO dropline_app;
GRANT SELECT, INSERT, UPDATE ON shop_webhook, actor_leases TO dropline_app;
GRANT SELECT, INSERT, UPDATE ON draws, entries TO dropline_app;
GRANT SELECT, INSERT ON transfers, withdrawn_units, repairs TO dropline_app;
-- How far the books were checked, and what was found.
GRANT SELECT, INSERT, UPDATE ON books_checkpoint TO dropline_app;
GRANT SELECT, INSERT, DELETE ON books_findings TO dropline_app;
-- Sessions of operators that ended by a logout.
GRANT SELECT, INSERT, DELETE ON revoked_sessions TO dropline_app;
-- prune deletes deliveries that were made.
GRANT DELETE ON outbox_events TO dropline_app;
GRANT USAGE ON ALL SEQUENCES IN SCHEMA public TO dropline_app;
-- `npm start` looks whether there is something to migrate.
GRANT SELECT ON _prisma_migrations TO dropline_app;
