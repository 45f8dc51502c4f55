ALTER TABLE idempotency MODIFY outcome TEXT NOT NULL;
