-- The time of the click that asked for a payment, by Redis's clock. An order is kept beyond its deadline for as long as
-- its payment was recorded after that click.
ALTER TABLE "payments" ADD COLUMN "clicked_at" TIMESTAMPTZ(3);
