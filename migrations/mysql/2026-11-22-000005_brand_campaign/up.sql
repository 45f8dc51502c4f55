-- The campaign in which sales of the brand earn, if they earn at all.
ALTER TABLE brands ADD COLUMN campaign INTEGER;
