-- What became of a thousand sales needs more than 64 KiB.
ALTER TABLE idempotency MODIFY outcome MEDIUMTEXT NOT NULL;
