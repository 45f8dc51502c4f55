ALTER TABLE batches DROP COLUMN customers;
ALTER TABLE batches DROP COLUMN kind;
