-- One row for each fact about the installation: key_check, demo.
CREATE TABLE IF NOT EXISTS installation (
    name VARCHAR(32) NOT NULL,
    value VARBINARY(255) NOT NULL,
    PRIMARY KEY (name)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_bin;

-- One row per account. secret: sealed under the server key.
CREATE TABLE IF NOT EXISTS accounts (
    id INTEGER NOT NULL,
    account_id VARCHAR(64) NOT NULL,
    name VARCHAR(255) NOT NULL,
    currency VARCHAR(3) NOT NULL,
    timezone VARCHAR(64) NOT NULL,
    country VARCHAR(2),
    secret VARBINARY(255),
    email_credits BIGINT,
    created_at BIGINT NOT NULL,
    PRIMARY KEY (id),
    UNIQUE (account_id)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_bin;

-- What every writing transaction takes first: the next public numbers and the versions.
CREATE TABLE IF NOT EXISTS account_heads (
    account_id INTEGER NOT NULL,
    next_entry BIGINT NOT NULL,
    next_batch BIGINT NOT NULL,
    next_customer BIGINT NOT NULL,
    next_sale BIGINT NOT NULL,
    next_rejection BIGINT NOT NULL,
    next_commit BIGINT NOT NULL,
    open_faults BIGINT NOT NULL,
    keys_version BIGINT NOT NULL,
    config_version BIGINT NOT NULL,
    PRIMARY KEY (account_id)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_bin;

-- Users of an account; user ids are unique in the installation.
CREATE TABLE IF NOT EXISTS users (
    account_id INTEGER NOT NULL,
    number INTEGER NOT NULL,
    user_id VARCHAR(64) NOT NULL,
    all_campaigns BOOLEAN NOT NULL,
    created_at BIGINT NOT NULL,
    PRIMARY KEY (account_id, number),
    UNIQUE (user_id)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_bin;

-- The campaigns a user sees, where users.all_campaigns is false.
CREATE TABLE IF NOT EXISTS user_campaigns (
    account_id INTEGER NOT NULL,
    user INTEGER NOT NULL,
    campaign INTEGER NOT NULL,
    PRIMARY KEY (account_id, user, campaign)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_bin;

-- Secrets of users, only checked: HMAC-SHA256 under the server key.
CREATE TABLE IF NOT EXISTS api_keys (
    account_id INTEGER NOT NULL,
    user INTEGER NOT NULL,
    hash BINARY(32) NOT NULL,
    kind VARCHAR(16) NOT NULL,
    created_at BIGINT NOT NULL,
    last_used_at BIGINT,
    PRIMARY KEY (account_id, user, hash)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_bin;

-- Brands of an account; token: HMAC-SHA256 under the server key.
CREATE TABLE IF NOT EXISTS brands (
    account_id INTEGER NOT NULL,
    number INTEGER NOT NULL,
    brand_id VARCHAR(64) NOT NULL,
    currency VARCHAR(3),
    timezone VARCHAR(64),
    token_hash BINARY(32) NOT NULL,
    created_at BIGINT NOT NULL,
    PRIMARY KEY (account_id, number),
    UNIQUE (account_id, brand_id),
    UNIQUE (token_hash)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_bin;

-- kind: points, giftcard, buyx, events or earned. Ratios and amounts in ten-thousandths.
CREATE TABLE IF NOT EXISTS campaigns (
    account_id INTEGER NOT NULL,
    number INTEGER NOT NULL,
    campaign_id VARCHAR(64) NOT NULL,
    kind VARCHAR(16) NOT NULL,
    name VARCHAR(255) NOT NULL,
    active BOOLEAN NOT NULL,
    decimals SMALLINT NOT NULL,
    points_ratio BIGINT NOT NULL,
    earned_per_event BIGINT NOT NULL,
    allow_negative BOOLEAN NOT NULL,
    created_at BIGINT NOT NULL,
    PRIMARY KEY (account_id, number),
    UNIQUE (account_id, campaign_id)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_bin;

-- level in ten-thousandths of the campaign's unit.
CREATE TABLE IF NOT EXISTS rewards (
    account_id INTEGER NOT NULL,
    number INTEGER NOT NULL,
    campaign INTEGER NOT NULL,
    id VARCHAR(64) NOT NULL,
    reward_id VARCHAR(64),
    level BIGINT NOT NULL,
    description VARCHAR(255) NOT NULL,
    PRIMARY KEY (account_id, number),
    UNIQUE (account_id, id)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_bin;

-- operand: x or +; value in ten-thousandths.
CREATE TABLE IF NOT EXISTS promotions (
    account_id INTEGER NOT NULL,
    number INTEGER NOT NULL,
    campaign INTEGER NOT NULL,
    id VARCHAR(64) NOT NULL,
    operand VARCHAR(1) NOT NULL,
    value BIGINT NOT NULL,
    description VARCHAR(255) NOT NULL,
    PRIMARY KEY (account_id, number),
    UNIQUE (account_id, id)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_bin;

-- Items of buy-X campaigns.
CREATE TABLE IF NOT EXISTS items (
    account_id INTEGER NOT NULL,
    number INTEGER NOT NULL,
    campaign INTEGER NOT NULL,
    id VARCHAR(64) NOT NULL,
    service_product VARCHAR(255) NOT NULL,
    buy_amount INTEGER NOT NULL,
    description VARCHAR(255) NOT NULL,
    PRIMARY KEY (account_id, number),
    UNIQUE (account_id, id)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_bin;

-- One row per person, shared by all dialects.
CREATE TABLE IF NOT EXISTS customers (
    account_id INTEGER NOT NULL,
    number BIGINT NOT NULL,
    code VARCHAR(64),
    card_number VARCHAR(64),
    first_name VARCHAR(255),
    last_name VARCHAR(255),
    email VARCHAR(254),
    phone VARCHAR(255),
    cellphone VARCHAR(255),
    document VARCHAR(255),
    created_at BIGINT NOT NULL,
    PRIMARY KEY (account_id, number)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_bin;

-- Codes and card numbers: one name space per account. replaced: a card that was replaced.
CREATE TABLE IF NOT EXISTS customer_keys (
    account_id INTEGER NOT NULL,
    value VARCHAR(64) NOT NULL,
    customer BIGINT NOT NULL,
    replaced BOOLEAN NOT NULL,
    PRIMARY KEY (account_id, value)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_bin;

-- Only grows. kind: 1 add, 2 redeem, 3 opening, 4 reversal. Amounts in ten-thousandths, date YYYYMMDD, recorded_at microseconds since 1970 UTC. No index but the primary key, so that it appends.
CREATE TABLE IF NOT EXISTS journal (
    account_id INTEGER NOT NULL,
    number BIGINT NOT NULL,
    customer BIGINT NOT NULL,
    campaign INTEGER NOT NULL,
    item INTEGER NOT NULL,
    kind SMALLINT NOT NULL,
    amount BIGINT NOT NULL,
    balance_after BIGINT NOT NULL,
    date INTEGER NOT NULL,
    recorded_at BIGINT NOT NULL,
    previous BIGINT,
    batch BIGINT,
    line INTEGER,
    user INTEGER,
    given VARCHAR(255),
    formula MEDIUMTEXT,
    promotions MEDIUMTEXT,
    reward INTEGER,
    reverses BIGINT,
    flags INTEGER NOT NULL,
    authorization VARCHAR(255),
    custom MEDIUMTEXT,
    PRIMARY KEY (account_id, number)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_bin;

-- The balance of a customer in a campaign (buy-X: of an item), and its newest entry.
CREATE TABLE IF NOT EXISTS balances (
    account_id INTEGER NOT NULL,
    customer BIGINT NOT NULL,
    campaign INTEGER NOT NULL,
    item INTEGER NOT NULL,
    balance BIGINT NOT NULL,
    last_entry BIGINT NOT NULL,
    PRIMARY KEY (account_id, customer, campaign, item)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_bin;

-- One row per stored batch. layout: how its lines were to be read, where lines were refused.
CREATE TABLE IF NOT EXISTS batches (
    account_id INTEGER NOT NULL,
    number BIGINT NOT NULL,
    commit_id BINARY(16) NOT NULL,
    user INTEGER NOT NULL,
    recorded_at BIGINT NOT NULL,
    first_entry BIGINT NOT NULL,
    transactions INTEGER NOT NULL,
    rejected INTEGER NOT NULL,
    new_customers INTEGER NOT NULL,
    undoable BOOLEAN NOT NULL,
    layout MEDIUMTEXT,
    PRIMARY KEY (account_id, number)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_bin;

-- Lowest and highest entry number with a date.
CREATE TABLE IF NOT EXISTS entry_dates (
    account_id INTEGER NOT NULL,
    date INTEGER NOT NULL,
    lowest BIGINT NOT NULL,
    highest BIGINT NOT NULL,
    PRIMARY KEY (account_id, date)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_bin;

-- Which entry was reversed, and by which: at most once.
CREATE TABLE IF NOT EXISTS reversals (
    account_id INTEGER NOT NULL,
    entry BIGINT NOT NULL,
    by_entry BIGINT NOT NULL,
    PRIMARY KEY (account_id, entry)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_bin;

-- The inbox: lines that were refused. source: the dialect; class: fault or decline; state: open or record.
CREATE TABLE IF NOT EXISTS rejections (
    account_id INTEGER NOT NULL,
    number BIGINT NOT NULL,
    source VARCHAR(16) NOT NULL,
    batch BIGINT,
    line INTEGER,
    user INTEGER,
    class VARCHAR(16) NOT NULL,
    state VARCHAR(16) NOT NULL,
    code VARCHAR(32) NOT NULL,
    field VARCHAR(64),
    value MEDIUMTEXT,
    reason MEDIUMTEXT,
    remedy MEDIUMTEXT,
    raw MEDIUMTEXT,
    effective_date INTEGER,
    fingerprint BINARY(32) NOT NULL,
    recorded_at BIGINT NOT NULL,
    PRIMARY KEY (account_id, number),
    KEY rejections_fingerprint (account_id, fingerprint)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_bin;

-- One row per group of writes: tells after a lost connection whether it was committed.
CREATE TABLE IF NOT EXISTS commits (
    account_id INTEGER NOT NULL,
    nth BIGINT NOT NULL,
    commit_id BINARY(16) NOT NULL,
    recorded_at BIGINT NOT NULL,
    PRIMARY KEY (account_id, nth)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_bin;
