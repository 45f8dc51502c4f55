-- Batches of customers. kind: 0 of transactions, 1 of customers. customers: how many it has created or changed.
ALTER TABLE batches
    ADD COLUMN kind SMALLINT NOT NULL DEFAULT 0,
    ADD COLUMN customers INTEGER NOT NULL DEFAULT 0;
