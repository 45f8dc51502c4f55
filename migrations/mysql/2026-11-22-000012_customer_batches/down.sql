ALTER TABLE batches
    DROP COLUMN customers,
    DROP COLUMN kind;
