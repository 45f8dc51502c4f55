ALTER TABLE brands DROP COLUMN campaign;
