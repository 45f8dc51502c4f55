-- How long, in seconds, a request without an idempotency key counts as the repetition of an equal one; 0 is never.
ALTER TABLE accounts ADD COLUMN duplicate_window_s INTEGER NOT NULL DEFAULT 0;
