-- Outcomes kept for requests that come again. name: key:KEY as the caller chose it, same:FINGERPRINT for the duplicate guard, rejection:NUMBER for a rejection posted after all. outcome: JSON, numbers only, never persons.
CREATE TABLE IF NOT EXISTS idempotency (
    account_id INTEGER NOT NULL,
    dialect VARCHAR(16) NOT NULL,
    caller VARCHAR(64) NOT NULL,
    name VARCHAR(264) NOT NULL,
    fingerprint BINARY(32) NOT NULL,
    outcome TEXT NOT NULL,
    expires_at BIGINT NOT NULL,
    PRIMARY KEY (account_id, dialect, caller, name),
    KEY idempotency_expires_at (account_id, expires_at)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_bin;
