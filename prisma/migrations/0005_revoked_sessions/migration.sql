-- Operators' sessions that ended by a logout, before their time. A session is signed, so every admin process accepts it until it
-- finds the session here. After `ends_at` nothing accepts it any more, and prune deletes the row.
CREATE TABLE "revoked_sessions" (
  "id"      UUID PRIMARY KEY,
  "ends_at" TIMESTAMPTZ(3) NOT NULL
);
