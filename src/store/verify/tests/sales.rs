//! Sales in the small world, and what breaks them.

use super::world::sql;
use crate::store::{Db, dialect};

/// Rows of `shop`: a sale that has earned entry 1, one that says no more than its time, one in another currency; and one
/// that waits.
pub(super) fn fill_sales(db: &mut Db) {
    dialect::begin(db).unwrap();
    for statement in [
        "INSERT INTO brands (account_id, number, brand_id, token_hash, created_at, campaign) VALUES \
         (1, 1, 'web', X'01', 0, 1), (2, 2, 'cafe', X'02', 0, NULL)",
        "INSERT INTO sales (account_id, number, brand, customer, event_at, event_date, external_sale_id, order_id, value, \
         currency, extra, campaign, entry, points, created_at, updated_at) VALUES \
         (1, 1, 1, 1, 0, 20151203, 'x1', 'o1', 100000, 'USD', NULL, 1, 1, 100000, 0, 0), \
         (1, 2, 1, 2, 0, 20151203, NULL, NULL, NULL, 'USD', NULL, NULL, NULL, NULL, 0, 0), \
         (1, 3, 1, 2, 0, 20151203, NULL, 'o1', 10000, 'JPY', NULL, NULL, NULL, NULL, 0, 0)",
        "INSERT INTO sale_keys (account_id, brand, kind, value, sale) VALUES \
         (1, 1, 1, 'x1', 1), (1, 1, 2, 'o1', 1), (1, 1, 2, 'o1', 3)",
        "INSERT INTO rejections (account_id, number, source, line, class, state, code, raw, effective_date, fingerprint, \
         recorded_at, brand) VALUES \
         (1, 3, 'sales_v4', 1, 'fault', 'open', 'sale_not_found', '{}', 20151203, X'00', 0, 1)",
        "UPDATE account_heads SET next_sale = 4, next_rejection = 4, open_faults = open_faults + 1 WHERE account_id = 1",
        "INSERT INTO idempotency (account_id, dialect, caller, name, fingerprint, outcome, expires_at) VALUES \
         (1, 'sales_v4', 'web', 'key:one', X'00', \
         '{\"sales\":[{\"created\":{\"sale\":1,\"customer\":1}},\"not_found\"]}', 0)",
    ] {
        sql(db, statement);
    }
    dialect::commit(db).unwrap();
}

/// As [`super::breaks::BREAKS`], for sales.
pub(super) const BREAKS: &[(&str, &[&str])] = &[
    (
        "UPDATE account_heads SET next_sale = 5 WHERE account_id = 1",
        &["shop: account_heads next_sale: 5; should be: 4"],
    ),
    (
        "DELETE FROM sales WHERE account_id = 1 AND number = 2",
        &["shop: sales 3: follows 1; should be: 2"],
    ),
    (
        "DELETE FROM sales WHERE account_id = 1 AND number = 3",
        &[
            "shop: account_heads next_sale: 4; should be: 3",
            "shop: sale_keys 1/2/o1/3: sale 3, whose it is not; should be: an id of its sale",
        ],
    ),
    (
        "UPDATE sales SET brand = 2 WHERE account_id = 1 AND number = 2",
        &["shop: sales 2: brand 2, which does not exist; should be: a brand"],
    ),
    (
        "UPDATE sales SET brand = 2 WHERE account_id = 1 AND number = 3",
        &[
            "shop: sales 3: brand 2, which does not exist; should be: a brand",
            "shop: sale_keys 2/2/o1/3: no row; should be: an id of its sale",
            "shop: sale_keys 1/2/o1/3: sale 3, whose it is not; should be: an id of its sale",
        ],
    ),
    (
        "UPDATE sales SET customer = 9 WHERE account_id = 1 AND number = 2",
        &["shop: sales 2: customer 9, who does not exist; should be: a customer"],
    ),
    (
        "UPDATE sales SET event_date = 20150230 WHERE account_id = 1 AND number = 2",
        &["shop: sales 2: event_date 20150230; should be: a day of the calendar"],
    ),
    (
        "UPDATE sales SET currency = 'XXY' WHERE account_id = 1 AND number = 2",
        &["shop: sales 2: currency XXY; should be: a currency of ISO 4217"],
    ),
    (
        "UPDATE sales SET value = 15000 WHERE account_id = 1 AND number = 3",
        &["shop: sales 3: value 1.5; should be: at most 0 decimals"],
    ),
    (
        "UPDATE sales SET points = NULL WHERE account_id = 1 AND number = 1",
        &["shop: sales 1: campaign 1, entry 1, points none; should be: all or none"],
    ),
    (
        "UPDATE sales SET entry = 99 WHERE account_id = 1 AND number = 1",
        &["shop: sales 1: entry 99, which does not exist; should be: an entry"],
    ),
    (
        "UPDATE sales SET points = 90000 WHERE account_id = 1 AND number = 1",
        &[
            "shop: sales 1: entry 1, which gave something else; should be: one that gave customer 1 9 in campaign 1",
        ],
    ),
    (
        "UPDATE sales SET customer = 2 WHERE account_id = 1 AND number = 1",
        &[
            "shop: sales 1: entry 1, which gave something else; should be: one that gave customer 2 10 in campaign 1",
        ],
    ),
    (
        // Entry 4 took 3.
        "UPDATE sales SET entry = 4, points = -30000 WHERE account_id = 1 AND number = 1",
        &[
            "shop: sales 1: entry 4, which gave something else; should be: one that gave customer 1 -3 in campaign 1",
        ],
    ),
    (
        // Entry 3 was reversed by entry 7.
        "UPDATE sales SET campaign = 2, entry = 3, points = 200000 WHERE account_id = 1 AND number = 1",
        &["shop: sales 1: entry 3, which 7 has taken back; should be: one that still counts"],
    ),
    (
        "UPDATE sales SET customer = 1, campaign = 1, entry = 1, points = 100000 WHERE account_id = 1 AND number = 2",
        &["shop: sales 2: entry 1, which an earlier sale has; should be: an entry of its own"],
    ),
    (
        "DELETE FROM sale_keys WHERE account_id = 1 AND kind = 1",
        &["shop: sale_keys 1/1/x1/1: no row; should be: an id of its sale"],
    ),
    (
        "UPDATE sales SET order_id = NULL WHERE account_id = 1 AND number = 3",
        &["shop: sale_keys 1/2/o1/3: sale 3, whose it is not; should be: an id of its sale"],
    ),
    (
        "INSERT INTO sale_keys (account_id, brand, kind, value, sale) VALUES (1, 1, 3, 'x1', 1)",
        &["shop: sale_keys 1/3/x1/1: sale 1, whose it is not; should be: an id of its sale"],
    ),
    (
        "UPDATE rejections SET brand = NULL WHERE account_id = 1 AND number = 3",
        &[
            "shop: rejections 3: brand none and source sales_v4; should be: a brand where it is a sale",
        ],
    ),
    (
        "UPDATE rejections SET brand = 2 WHERE account_id = 1 AND number = 3",
        &["shop: rejections 3: brand 2, which does not exist; should be: a brand"],
    ),
    (
        "UPDATE idempotency SET outcome = '{\"sales\":[{\"updated\":{\"sale\":4,\"customer\":1}}]}' WHERE dialect = 'sales_v4'",
        &[
            "shop: idempotency sales_v4/web/key:one: sale 4, which does not exist; should be: a sale",
        ],
    ),
    (
        "INSERT INTO sale_keys (account_id, brand, kind, value, sale) VALUES (7, 1, 1, 'x', 1)",
        &["#7: sale_keys -: no account; should be: rows of an account"],
    ),
];
