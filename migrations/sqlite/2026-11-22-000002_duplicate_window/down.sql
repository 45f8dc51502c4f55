ALTER TABLE accounts DROP COLUMN duplicate_window_s;
