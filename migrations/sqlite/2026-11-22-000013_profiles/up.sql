-- The API 1.5 side of a customer. custom_date: ISO. custom: JSON, custom fields by their numbers. password, pin: Argon2id hashes.
CREATE TABLE profiles (
    account_id INTEGER NOT NULL,
    customer BIGINT NOT NULL,
    street2 VARCHAR(255),
    custom_date VARCHAR(10),
    custom TEXT,
    username VARCHAR(64),
    password VARCHAR(128),
    pin VARCHAR(128),
    registered BOOLEAN NOT NULL,
    updated_at BIGINT NOT NULL,
    PRIMARY KEY (account_id, customer)
) WITHOUT ROWID;

-- What a customer is searched by: every filled field, folded, each behind U+0001 and a tag of its own, and a last U+0001.
CREATE TABLE search_texts (
    account_id INTEGER NOT NULL,
    customer BIGINT NOT NULL,
    folded TEXT NOT NULL,
    PRIMARY KEY (account_id, customer)
) WITHOUT ROWID;

-- Custom fields that an account has defined. kind: 1 text, 2 date, 3 list, 4 pick. choices: a JSON list.
CREATE TABLE custom_fields (
    account_id INTEGER NOT NULL,
    number SMALLINT NOT NULL,
    label VARCHAR(255) NOT NULL,
    shown BOOLEAN NOT NULL,
    kind SMALLINT NOT NULL,
    choices TEXT,
    searchable BOOLEAN NOT NULL,
    is_unique BOOLEAN NOT NULL,
    required BOOLEAN NOT NULL,
    PRIMARY KEY (account_id, number)
) WITHOUT ROWID;

-- What a batch of customers has changed, kept to be undone. image: JSON, each field with its old and its new value; created: the customer came with the batch.
CREATE TABLE undo_images (
    account_id INTEGER NOT NULL,
    batch BIGINT NOT NULL,
    customer BIGINT NOT NULL,
    created BOOLEAN NOT NULL,
    image TEXT NOT NULL,
    recorded_at BIGINT NOT NULL,
    PRIMARY KEY (account_id, batch, customer)
) WITHOUT ROWID;
