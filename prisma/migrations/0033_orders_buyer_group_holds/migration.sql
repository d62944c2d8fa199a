-- This reads the table whole, and holds no writer.
ALTER TABLE "orders" VALIDATE CONSTRAINT "orders_buyer_group_check";
