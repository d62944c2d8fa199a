-- Refunds that went into a wallet before payments had amounts.
UPDATE "payments" p SET "compensated_minor" = t."amount_minor"
FROM "transfers" t
WHERE t."kind" = 'refund_to_wallet' AND t."order_id" = p."order_id" AND p."status" = 'refunded'
  AND t."amount_minor" = coalesce((p."mismatch" ->> 'amountMinor')::BIGINT, p."amount_minor");
