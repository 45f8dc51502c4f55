-- One row for each fact about the installation: key_check, demo.
CREATE TABLE installation (
    name VARCHAR(32) NOT NULL,
    value BLOB NOT NULL,
    PRIMARY KEY (name)
) WITHOUT ROWID;

-- One row per account. secret: sealed under the server key.
CREATE TABLE accounts (
    id INTEGER NOT NULL,
    account_id VARCHAR(64) NOT NULL,
    name VARCHAR(255) NOT NULL,
    currency VARCHAR(3) NOT NULL,
    timezone VARCHAR(64) NOT NULL,
    country VARCHAR(2),
    secret BLOB,
    email_credits BIGINT,
    created_at BIGINT NOT NULL,
    PRIMARY KEY (id),
    UNIQUE (account_id)
);

-- What every writing transaction takes first: the next public numbers and the versions.
CREATE TABLE account_heads (
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
);

-- Users of an account; user ids are unique in the installation.
CREATE TABLE users (
    account_id INTEGER NOT NULL,
    number INTEGER NOT NULL,
    user_id VARCHAR(64) NOT NULL,
    all_campaigns BOOLEAN NOT NULL,
    created_at BIGINT NOT NULL,
    PRIMARY KEY (account_id, number),
    UNIQUE (user_id)
) WITHOUT ROWID;

-- The campaigns a user sees, where users.all_campaigns is false.
CREATE TABLE user_campaigns (
    account_id INTEGER NOT NULL,
    user INTEGER NOT NULL,
    campaign INTEGER NOT NULL,
    PRIMARY KEY (account_id, user, campaign)
) WITHOUT ROWID;

-- Secrets of users, only checked: HMAC-SHA256 under the server key.
CREATE TABLE api_keys (
    account_id INTEGER NOT NULL,
    user INTEGER NOT NULL,
    hash BLOB NOT NULL,
    kind VARCHAR(16) NOT NULL,
    created_at BIGINT NOT NULL,
    last_used_at BIGINT,
    PRIMARY KEY (account_id, user, hash)
) WITHOUT ROWID;

-- Brands of an account; token: HMAC-SHA256 under the server key.
CREATE TABLE brands (
    account_id INTEGER NOT NULL,
    number INTEGER NOT NULL,
    brand_id VARCHAR(64) NOT NULL,
    currency VARCHAR(3),
    timezone VARCHAR(64),
    token_hash BLOB NOT NULL,
    created_at BIGINT NOT NULL,
    PRIMARY KEY (account_id, number),
    UNIQUE (account_id, brand_id),
    UNIQUE (token_hash)
) WITHOUT ROWID;

-- kind: points, giftcard, buyx, events or earned. Ratios and amounts in ten-thousandths.
CREATE TABLE campaigns (
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
) WITHOUT ROWID;

-- level in ten-thousandths of the campaign's unit.
CREATE TABLE rewards (
    account_id INTEGER NOT NULL,
    number INTEGER NOT NULL,
    campaign INTEGER NOT NULL,
    id VARCHAR(64) NOT NULL,
    reward_id VARCHAR(64),
    level BIGINT NOT NULL,
    description VARCHAR(255) NOT NULL,
    PRIMARY KEY (account_id, number),
    UNIQUE (account_id, id)
) WITHOUT ROWID;

-- operand: x or +; value in ten-thousandths.
CREATE TABLE promotions (
    account_id INTEGER NOT NULL,
    number INTEGER NOT NULL,
    campaign INTEGER NOT NULL,
    id VARCHAR(64) NOT NULL,
    operand VARCHAR(1) NOT NULL,
    value BIGINT NOT NULL,
    description VARCHAR(255) NOT NULL,
    PRIMARY KEY (account_id, number),
    UNIQUE (account_id, id)
) WITHOUT ROWID;

-- Items of buy-X campaigns.
CREATE TABLE items (
    account_id INTEGER NOT NULL,
    number INTEGER NOT NULL,
    campaign INTEGER NOT NULL,
    id VARCHAR(64) NOT NULL,
    service_product VARCHAR(255) NOT NULL,
    buy_amount INTEGER NOT NULL,
    description VARCHAR(255) NOT NULL,
    PRIMARY KEY (account_id, number),
    UNIQUE (account_id, id)
) WITHOUT ROWID;

-- One row per person, shared by all dialects.
CREATE TABLE customers (
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
) WITHOUT ROWID;

-- Codes and card numbers: one name space per account. replaced: a card that was replaced.
CREATE TABLE customer_keys (
    account_id INTEGER NOT NULL,
    value VARCHAR(64) NOT NULL,
    customer BIGINT NOT NULL,
    replaced BOOLEAN NOT NULL,
    PRIMARY KEY (account_id, value)
) WITHOUT ROWID;

-- Only grows. kind: 1 add, 2 redeem, 3 opening, 4 reversal. Amounts in ten-thousandths, date YYYYMMDD, recorded_at microseconds since 1970 UTC. No index but the primary key, so that it appends.
CREATE TABLE journal (
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
    formula TEXT,
    promotions TEXT,
    reward INTEGER,
    reverses BIGINT,
    flags INTEGER NOT NULL,
    authorization VARCHAR(255),
    custom TEXT,
    PRIMARY KEY (account_id, number)
) WITHOUT ROWID;

-- The balance of a customer in a campaign (buy-X: of an item), and its newest entry.
CREATE TABLE balances (
    account_id INTEGER NOT NULL,
    customer BIGINT NOT NULL,
    campaign INTEGER NOT NULL,
    item INTEGER NOT NULL,
    balance BIGINT NOT NULL,
    last_entry BIGINT NOT NULL,
    PRIMARY KEY (account_id, customer, campaign, item)
) WITHOUT ROWID;

-- One row per stored batch. layout: how its lines were to be read, where lines were refused.
CREATE TABLE batches (
    account_id INTEGER NOT NULL,
    number BIGINT NOT NULL,
    commit_id BLOB NOT NULL,
    user INTEGER NOT NULL,
    recorded_at BIGINT NOT NULL,
    first_entry BIGINT NOT NULL,
    transactions INTEGER NOT NULL,
    rejected INTEGER NOT NULL,
    new_customers INTEGER NOT NULL,
    undoable BOOLEAN NOT NULL,
    layout TEXT,
    PRIMARY KEY (account_id, number)
) WITHOUT ROWID;

-- Lowest and highest entry number with a date.
CREATE TABLE entry_dates (
    account_id INTEGER NOT NULL,
    date INTEGER NOT NULL,
    lowest BIGINT NOT NULL,
    highest BIGINT NOT NULL,
    PRIMARY KEY (account_id, date)
) WITHOUT ROWID;

-- Which entry was reversed, and by which: at most once.
CREATE TABLE reversals (
    account_id INTEGER NOT NULL,
    entry BIGINT NOT NULL,
    by_entry BIGINT NOT NULL,
    PRIMARY KEY (account_id, entry)
) WITHOUT ROWID;

-- The inbox: lines that were refused. source: the dialect; class: fault or decline; state: open or record.
CREATE TABLE rejections (
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
    value TEXT,
    reason TEXT,
    remedy TEXT,
    raw TEXT,
    effective_date INTEGER,
    fingerprint BLOB NOT NULL,
    recorded_at BIGINT NOT NULL,
    PRIMARY KEY (account_id, number)
) WITHOUT ROWID;

CREATE INDEX rejections_fingerprint ON rejections (account_id, fingerprint);

-- One row per group of writes: tells after a lost connection whether it was committed.
CREATE TABLE commits (
    account_id INTEGER NOT NULL,
    nth BIGINT NOT NULL,
    commit_id BLOB NOT NULL,
    recorded_at BIGINT NOT NULL,
    PRIMARY KEY (account_id, nth)
) WITHOUT ROWID;
