-- Since when a rejection has its state, in microseconds since 1970 UTC; what has had it for long loses its text. 0: not known.
ALTER TABLE rejections ADD COLUMN state_since BIGINT NOT NULL DEFAULT 0;
