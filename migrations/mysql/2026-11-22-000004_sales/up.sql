-- One row per sale; number is its public sale_id. event_at: microseconds since 1970 UTC; event_date: that day in the brand's zone, YYYYMMDD. value in ten-thousandths. extra: JSON, members that are not documented. campaign, entry, points: what it has earned, and the journal entry that gave it.
CREATE TABLE IF NOT EXISTS sales (
    account_id INTEGER NOT NULL,
    number BIGINT NOT NULL,
    brand INTEGER NOT NULL,
    customer BIGINT NOT NULL,
    event_at BIGINT NOT NULL,
    event_date INTEGER NOT NULL,
    external_sale_id VARCHAR(255),
    order_id VARCHAR(255),
    value BIGINT,
    currency VARCHAR(3) NOT NULL,
    extra MEDIUMTEXT,
    campaign INTEGER,
    entry BIGINT,
    points BIGINT,
    created_at BIGINT NOT NULL,
    updated_at BIGINT NOT NULL,
    PRIMARY KEY (account_id, number)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_bin;

-- By what the sales of a brand are found. kind: 1 external_sale_id, 2 order_id.
CREATE TABLE IF NOT EXISTS sale_keys (
    account_id INTEGER NOT NULL,
    brand INTEGER NOT NULL,
    kind SMALLINT NOT NULL,
    value VARCHAR(255) NOT NULL,
    sale BIGINT NOT NULL,
    PRIMARY KEY (account_id, brand, kind, value, sale)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_bin;
