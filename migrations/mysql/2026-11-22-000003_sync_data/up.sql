-- What jobs, webhooks, credits and consents of an account are numbered by. credits: what is left; NULL is without limit.
CREATE TABLE IF NOT EXISTS sync_heads (
    account_id INTEGER NOT NULL,
    next_job BIGINT NOT NULL,
    next_event BIGINT NOT NULL,
    next_credit BIGINT NOT NULL,
    next_consent BIGINT NOT NULL,
    credits BIGINT,
    PRIMARY KEY (account_id)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_bin;

-- Ledger of e-mail credits; only grows. kind: opening, added or spent; one row for each part of a job that spent any.
CREATE TABLE IF NOT EXISTS credits (
    account_id INTEGER NOT NULL,
    number BIGINT NOT NULL,
    kind VARCHAR(16) NOT NULL,
    amount BIGINT NOT NULL,
    balance_after BIGINT NOT NULL,
    job BIGINT,
    note VARCHAR(255),
    recorded_at BIGINT NOT NULL,
    PRIMARY KEY (account_id, number)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_bin;

-- The contact side of a customer. profile: JSON, every field as it was sent. verdict: 1 valid, 2 invalid, 3 unknown.
CREATE TABLE IF NOT EXISTS contacts (
    account_id INTEGER NOT NULL,
    customer BIGINT NOT NULL,
    contact_id VARCHAR(24) NOT NULL,
    user_id VARCHAR(255),
    origin VARCHAR(255) NOT NULL,
    verdict SMALLINT,
    checked_at BIGINT,
    last_consent BIGINT,
    profile MEDIUMTEXT NOT NULL,
    created_at BIGINT NOT NULL,
    updated_at BIGINT NOT NULL,
    PRIMARY KEY (account_id, customer)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_bin;

-- By what customers are found beside code and card number. kind: 1 user_id, 2 e-mail, 3 phone, 4 cellphone, 5 document.
CREATE TABLE IF NOT EXISTS person_keys (
    account_id INTEGER NOT NULL,
    kind SMALLINT NOT NULL,
    value VARCHAR(255) NOT NULL,
    customer BIGINT NOT NULL,
    PRIMARY KEY (account_id, kind, value, customer)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_bin;

-- Only grows. channel: terms, marketing, email, sms or push. answer NULL: taken back. previous: the customer's one before.
CREATE TABLE IF NOT EXISTS consents (
    account_id INTEGER NOT NULL,
    number BIGINT NOT NULL,
    customer BIGINT NOT NULL,
    channel VARCHAR(16) NOT NULL,
    answer BOOLEAN,
    date VARCHAR(64),
    remote_ip VARCHAR(64),
    origin VARCHAR(255),
    job BIGINT,
    item INTEGER,
    previous BIGINT,
    recorded_at BIGINT NOT NULL,
    PRIMARY KEY (account_id, number)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_bin;

-- Names of custom fields that were seen. kind: 1 contact, 2 purchase.
CREATE TABLE IF NOT EXISTS custom_names (
    account_id INTEGER NOT NULL,
    kind SMALLINT NOT NULL,
    name VARCHAR(64) NOT NULL,
    PRIMARY KEY (account_id, kind, name)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_bin;

-- Purchases by the client's own code. price in ten-thousandths; fields: JSON, every field as it was sent.
CREATE TABLE IF NOT EXISTS purchases (
    account_id INTEGER NOT NULL,
    transaction_code VARCHAR(255) NOT NULL,
    purchase_id VARCHAR(24) NOT NULL,
    customer BIGINT,
    product_uuid VARCHAR(255) NOT NULL,
    price BIGINT NOT NULL,
    currency VARCHAR(3) NOT NULL,
    status VARCHAR(16) NOT NULL,
    fields MEDIUMTEXT NOT NULL,
    origin VARCHAR(255) NOT NULL,
    created_at BIGINT NOT NULL,
    updated_at BIGINT NOT NULL,
    PRIMARY KEY (account_id, transaction_code)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_bin;

-- The customers of a purchase, in the order of the request that linked them.
CREATE TABLE IF NOT EXISTS purchase_contacts (
    account_id INTEGER NOT NULL,
    transaction_code VARCHAR(255) NOT NULL,
    place INTEGER NOT NULL,
    customer BIGINT NOT NULL,
    PRIMARY KEY (account_id, transaction_code, place)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_bin;

-- One row per request. state: open, completed or failed; whether an open one has begun is told by sync_queue. purchase: as it was sent, until the job is done. purchase_state: 1 created, 2 updated, 3 failed. options, purchase_errors, purchase_told: JSON.
CREATE TABLE IF NOT EXISTS sync_jobs (
    account_id INTEGER NOT NULL,
    number BIGINT NOT NULL,
    job_id VARCHAR(24) NOT NULL,
    origin VARCHAR(255) NOT NULL,
    state VARCHAR(16) NOT NULL,
    contacts INTEGER NOT NULL,
    purchases SMALLINT NOT NULL,
    options MEDIUMTEXT NOT NULL,
    webhook_url VARCHAR(2048),
    purchase MEDIUMTEXT,
    purchase_code VARCHAR(255),
    purchase_state SMALLINT,
    purchase_id VARCHAR(24),
    purchase_errors MEDIUMTEXT,
    purchase_told MEDIUMTEXT,
    valid INTEGER NOT NULL,
    failed INTEGER NOT NULL,
    charged INTEGER NOT NULL,
    event BIGINT,
    reason VARCHAR(255),
    created_at BIGINT NOT NULL,
    started_at BIGINT,
    completed_at BIGINT,
    PRIMARY KEY (account_id, number)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_bin;

-- Contacts that wait: a JSON list, whose first is the request's nth from 0. Deleted when they are worked off.
CREATE TABLE IF NOT EXISTS sync_parts (
    account_id INTEGER NOT NULL,
    job BIGINT NOT NULL,
    first INTEGER NOT NULL,
    contacts MEDIUMTEXT NOT NULL,
    PRIMARY KEY (account_id, job, first)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_bin;

-- Jobs that are not done. cursor_at: the next item. stuck: claims since it last moved. token: whose claim it is.
CREATE TABLE IF NOT EXISTS sync_queue (
    account_id INTEGER NOT NULL,
    job BIGINT NOT NULL,
    cursor_at INTEGER NOT NULL,
    valid INTEGER NOT NULL,
    failed INTEGER NOT NULL,
    charged INTEGER NOT NULL,
    claims INTEGER NOT NULL,
    stuck INTEGER NOT NULL,
    started_at BIGINT,
    claimed_until BIGINT NOT NULL,
    token VARCHAR(32),
    PRIMARY KEY (account_id, job)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_bin;

-- What became of each contact of a request. state: 1 created, 2 updated, 3 failed. errors: JSON. told: what the webhook says of it, JSON.
CREATE TABLE IF NOT EXISTS sync_items (
    account_id INTEGER NOT NULL,
    job BIGINT NOT NULL,
    item INTEGER NOT NULL,
    state SMALLINT NOT NULL,
    customer BIGINT,
    contact_id VARCHAR(24),
    verdict SMALLINT,
    charged BOOLEAN NOT NULL,
    errors MEDIUMTEXT,
    told MEDIUMTEXT,
    PRIMARY KEY (account_id, job, item)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_bin;

-- Webhooks. state: pending, delivered, refused or parked.
CREATE TABLE IF NOT EXISTS outbox (
    account_id INTEGER NOT NULL,
    number BIGINT NOT NULL,
    event_id VARCHAR(64) NOT NULL,
    kind VARCHAR(16) NOT NULL,
    job BIGINT NOT NULL,
    url VARCHAR(2048) NOT NULL,
    state VARCHAR(16) NOT NULL,
    attempts INTEGER NOT NULL,
    created_at BIGINT NOT NULL,
    done_at BIGINT,
    PRIMARY KEY (account_id, number)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_bin;

-- Webhooks that are to be sent. asked: a person wants it sent again.
CREATE TABLE IF NOT EXISTS outbox_queue (
    account_id INTEGER NOT NULL,
    event BIGINT NOT NULL,
    due_at BIGINT NOT NULL,
    asked BOOLEAN NOT NULL,
    claimed_until BIGINT NOT NULL,
    token VARCHAR(32),
    PRIMARY KEY (account_id, event)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_bin;

-- Each try to send a webhook. status: of the HTTP answer; error: why there was none; answer: the beginning of its body.
CREATE TABLE IF NOT EXISTS attempts (
    account_id INTEGER NOT NULL,
    event BIGINT NOT NULL,
    nth INTEGER NOT NULL,
    started_at BIGINT NOT NULL,
    took_ms INTEGER NOT NULL,
    status INTEGER,
    error VARCHAR(255),
    answer MEDIUMTEXT,
    PRIMARY KEY (account_id, event, nth)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_bin;

-- Accounts that exist already begin with the credits that their world file gave them.
INSERT IGNORE INTO sync_heads (account_id, next_job, next_event, next_credit, next_consent, credits)
    SELECT id, 1, 1, CASE WHEN email_credits IS NULL THEN 1 ELSE 2 END, 1, email_credits FROM accounts;
INSERT IGNORE INTO credits (account_id, number, kind, amount, balance_after, recorded_at)
    SELECT id, 1, 'opening', email_credits, email_credits, created_at FROM accounts WHERE email_credits IS NOT NULL;

-- Last, because it is the only statement here that cannot be repeated: a run that was cut short before it can be run again.
ALTER TABLE customers
    ADD COLUMN street1 VARCHAR(255),
    ADD COLUMN city VARCHAR(255),
    ADD COLUMN state VARCHAR(255),
    ADD COLUMN postal_code VARCHAR(255),
    ADD COLUMN country VARCHAR(255);
