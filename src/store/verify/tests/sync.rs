//! Jobs, people and webhooks in the small world, and what breaks them.

use super::world::{now, sql};
use crate::dates;
use crate::store::{Db, dialect};

/// Rows of `shop`: a job that is done, one that is half done, one that waits; what they have brought.
pub(super) fn fill_sync(db: &mut Db) {
    dialect::begin(db).unwrap();
    let at = dates::micros(now());
    for statement in [
        "INSERT INTO installation (name, value) VALUES ('person_keys', X'31')".to_owned(),
        "INSERT INTO sync_heads (account_id, next_job, next_event, next_credit, next_consent, credits) VALUES \
         (1, 4, 2, 4, 3, 8)"
            .to_owned(),
        "INSERT INTO credits (account_id, number, kind, amount, balance_after, job, recorded_at) VALUES \
         (1, 1, 'opening', 10, 10, NULL, 0), (1, 2, 'added', -1, 9, NULL, 0), (1, 3, 'spent', -1, 8, 1, 0)"
            .to_owned(),
        format!(
            "INSERT INTO sync_jobs (account_id, number, job_id, origin, state, contacts, purchases, options, \
             purchase, purchase_state, valid, failed, charged, event, created_at, completed_at) VALUES \
             (1, 1, '000000000000000000000001', 'shop', 'completed', 3, 1, '', NULL, 1, 2, 1, 1, 1, 0, {at}), \
             (1, 2, '000000000000000000000002', 'shop', 'open', 3, 0, '', NULL, NULL, 0, 0, 0, NULL, 0, NULL), \
             (1, 3, '000000000000000000000003', 'shop', 'open', 0, 1, '', 'sent', NULL, 0, 0, 0, NULL, 0, NULL)"
        ),
        "INSERT INTO sync_queue (account_id, job, cursor_at, valid, failed, charged, claims, stuck, claimed_until) \
         VALUES (1, 2, 1, 1, 0, 0, 1, 0, 0), (1, 3, 0, 0, 0, 0, 0, 0, 0)"
            .to_owned(),
        "INSERT INTO sync_parts (account_id, job, first, contacts) VALUES (1, 2, 0, '[]')".to_owned(),
        "INSERT INTO sync_items (account_id, job, item, state, customer, charged) VALUES \
         (1, 1, 0, 1, 1, 1), (1, 1, 1, 2, 2, 0), (1, 1, 2, 3, NULL, 0), (1, 2, 0, 2, 2, 0)"
            .to_owned(),
        "INSERT INTO contacts (account_id, customer, contact_id, user_id, origin, last_consent, profile, created_at, \
         updated_at) VALUES (1, 1, '00000000000000000000000a', 'u1', 'shop', 2, '{}', 0, 0), \
         (1, 2, '00000000000000000000000b', NULL, 'shop', NULL, '{}', 0, 0)"
            .to_owned(),
        "INSERT INTO consents (account_id, number, customer, channel, answer, previous, recorded_at) VALUES \
         (1, 1, 1, 'terms', 1, NULL, 0), (1, 2, 1, 'terms', 0, 1, 0)"
            .to_owned(),
        "UPDATE customers SET email = 'Ben@Example.com' WHERE account_id = 1 AND number = 2".to_owned(),
        "UPDATE search_texts SET folded = CONCAT(CHAR(1), 'cben', CHAR(1), 'eben@example.com', CHAR(1)) \
         WHERE account_id = 1 AND customer = 2"
            .to_owned(),
        "INSERT INTO person_keys (account_id, kind, value, customer) VALUES \
         (1, 1, 'u1', 1), (1, 2, 'ben@example.com', 2)"
            .to_owned(),
        "INSERT INTO purchases (account_id, transaction_code, purchase_id, customer, product_uuid, price, currency, \
         status, fields, origin, created_at, updated_at) VALUES \
         (1, 'T1', '00000000000000000000000c', 1, 'p', 1, 'EUR', 'purchase', '{}', 'shop', 0, 0)"
            .to_owned(),
        "INSERT INTO purchase_contacts (account_id, transaction_code, place, customer) VALUES \
         (1, 'T1', 0, 1), (1, 'T1', 1, 2)"
            .to_owned(),
        "INSERT INTO outbox (account_id, number, event_id, kind, job, url, state, attempts, created_at, done_at) VALUES \
         (1, 1, 'evt_1_1_0000000000000000', 'sync_data', 1, '', 'delivered', 1, 0, 1)"
            .to_owned(),
        "INSERT INTO attempts (account_id, event, nth, started_at, took_ms, status) VALUES (1, 1, 1, 0, 0, 200)"
            .to_owned(),
        "INSERT INTO idempotency (account_id, dialect, caller, name, fingerprint, outcome, expires_at) VALUES \
         (1, 'sync_data', '', 'key:one', X'00', '{\"job\":1}', 0)"
            .to_owned(),
    ] {
        sql(db, &statement);
    }
    dialect::commit(db).unwrap();
}

/// As [`super::breaks::BREAKS`], for what `sync_data` stores.
pub(super) const BREAKS: &[(&str, &[&str])] = &[
    (
        "UPDATE sync_heads SET next_job = 3 WHERE account_id = 1",
        &["shop: sync_jobs 3: number 3; should be: from 1 to below next_job 3"],
    ),
    (
        "UPDATE sync_heads SET credits = 7 WHERE account_id = 1",
        &["shop: sync_heads credits: 7; should be: 8"],
    ),
    (
        "UPDATE sync_heads SET next_credit = 0 WHERE account_id = 1",
        &[
            "shop: sync_heads next_credit: 0; should be: 1 or more",
            "shop: sync_heads next_credit: 0; should be: 4",
        ],
    ),
    (
        "UPDATE credits SET amount = 0 WHERE account_id = 1 AND number = 2",
        &["shop: credits 2: balance_after 9; should be: balance_after 10"],
    ),
    (
        "DELETE FROM credits WHERE account_id = 1 AND number = 2",
        &[
            "shop: credits 3: follows 1; should be: 2",
            "shop: credits 3: balance_after 8; should be: balance_after 9",
        ],
    ),
    (
        "UPDATE credits SET job = 9 WHERE account_id = 1 AND number = 3",
        &[
            "shop: sync_jobs 1: 0 credits spent; should be: 1 items charged",
            "shop: sync_jobs 1: charged 1; should be: charged 0",
            "shop: credits job 9: spent by job 9, which does not exist; should be: a job",
        ],
    ),
    (
        "UPDATE credits SET kind = 'opening' WHERE account_id = 1 AND number = 2",
        &[
            "shop: credits 2: opening -1 by job none; should be: opening first, added, or spent by a job",
        ],
    ),
    (
        "DELETE FROM sync_items WHERE account_id = 1 AND job = 1 AND item = 1",
        &[
            "shop: sync_items 1: items are missing; should be: each item once",
            "shop: sync_jobs 1: 1 items taken, 1 failed; should be: valid 2, failed 1",
        ],
    ),
    (
        "DELETE FROM sync_items WHERE account_id = 1 AND job = 1",
        &["shop: sync_jobs 1: 0 items taken, 0 failed; should be: valid 2, failed 1"],
    ),
    (
        "UPDATE sync_items SET state = 3 WHERE account_id = 1 AND job = 1 AND item = 1",
        &[
            "shop: sync_items 1/1: customer 2; should be: none",
            "shop: sync_jobs 1: 1 items taken, 2 failed; should be: valid 2, failed 1",
        ],
    ),
    (
        "UPDATE sync_items SET charged = 1 WHERE account_id = 1 AND job = 1 AND item = 1",
        &["shop: sync_jobs 1: 1 credits spent; should be: 2 items charged"],
    ),
    (
        "INSERT INTO sync_items (account_id, job, item, state, charged) VALUES (1, 7, 0, 3, 0)",
        &["shop: sync_items 7: job 7, which does not exist; should be: a job"],
    ),
    (
        "UPDATE sync_jobs SET failed = 2 WHERE account_id = 1 AND number = 1",
        &[
            "shop: sync_jobs 1: valid 2 and failed 2; should be: 3 in all",
            "shop: sync_jobs 1: 2 items taken, 1 failed; should be: valid 2, failed 2",
        ],
    ),
    (
        "UPDATE sync_jobs SET charged = 0 WHERE account_id = 1 AND number = 1",
        &["shop: sync_jobs 1: charged 0; should be: charged 1"],
    ),
    (
        "UPDATE sync_jobs SET purchase_state = NULL WHERE account_id = 1 AND number = 1",
        &["shop: sync_jobs 1: a purchase that waits; should be: what became of it"],
    ),
    (
        "UPDATE sync_jobs SET state = 'failed' WHERE account_id = 1 AND number = 1",
        &[
            "shop: sync_jobs 1: a state that its other columns contradict; should be: open, completed or failed",
        ],
    ),
    (
        "UPDATE sync_jobs SET job_id = '000000000000000000000009' WHERE account_id = 1 AND number = 1",
        &["shop: sync_jobs 1: job_id 000000000000000000000009; should be: an id of number 1"],
    ),
    (
        "DELETE FROM sync_jobs WHERE account_id = 1 AND number = 1",
        &[
            "shop: sync_items 1: job 1, which does not exist; should be: a job",
            "shop: credits job 1: spent by job 1, which does not exist; should be: a job",
            "shop: outbox 1: job 1, which does not exist; should be: a job",
            "shop: idempotency sync_data//key:one: job 1, which does not exist; should be: a job",
        ],
    ),
    (
        "DELETE FROM sync_queue WHERE account_id = 1 AND job = 2",
        &["shop: sync_jobs 2: open, but not in the queue; should be: done"],
    ),
    (
        "UPDATE sync_queue SET cursor_at = 2 WHERE account_id = 1 AND job = 2",
        &[
            "shop: sync_queue 2: cursor 2, valid 1, failed 0, charged 0; should be: cursor 1, valid 1, failed 0, charged 0",
        ],
    ),
    (
        "INSERT INTO sync_queue (account_id, job, cursor_at, valid, failed, charged, claims, stuck, claimed_until) VALUES (1, 1, 3, 2, 1, 1, 0, 0, 0)",
        &["shop: sync_queue 1: a job that is done; should be: an open job"],
    ),
    (
        "DELETE FROM sync_parts WHERE account_id = 1",
        &["shop: sync_parts 2: the first part begins at none; should be: at 1 or before"],
    ),
    (
        "UPDATE sync_parts SET first = 2 WHERE account_id = 1",
        &["shop: sync_parts 2: the first part begins at 2; should be: at 1 or before"],
    ),
    (
        "INSERT INTO sync_parts (account_id, job, first, contacts) VALUES (1, 1, 0, '[]')",
        &["shop: sync_parts 1: a job that is done; should be: an open job"],
    ),
    (
        "INSERT INTO sync_parts (account_id, job, first, contacts) VALUES (1, 8, 0, '[]')",
        &["shop: sync_parts 8: job 8, which does not exist; should be: a job"],
    ),
    (
        "UPDATE contacts SET last_consent = 1 WHERE account_id = 1 AND customer = 1",
        &["shop: contacts 1: last_consent 1; should be: last_consent 2"],
    ),
    (
        "UPDATE contacts SET contact_id = 'x' WHERE account_id = 1 AND customer = 1",
        &["shop: contacts 1: contact_id x; should be: 24 hexadecimal digits"],
    ),
    (
        "UPDATE contacts SET profile = '[]' WHERE account_id = 1 AND customer = 1",
        &["shop: contacts 1: a profile that is no object; should be: one"],
    ),
    (
        "INSERT INTO contacts (account_id, customer, contact_id, origin, profile, created_at, updated_at) VALUES (1, 9, '00000000000000000000000d', '', '{}', 0, 0)",
        &["shop: contacts 9: customer 9, who does not exist; should be: a customer"],
    ),
    (
        "UPDATE consents SET previous = NULL WHERE account_id = 1 AND number = 2",
        &["shop: consents 2: previous none; should be: previous 1"],
    ),
    (
        "DELETE FROM consents WHERE account_id = 1 AND number = 1",
        &[
            "shop: consents 2: follows 0; should be: 1",
            "shop: consents 2: previous 1; should be: previous none",
        ],
    ),
    (
        "UPDATE consents SET customer = 3 WHERE account_id = 1 AND number = 2",
        &[
            "shop: consents 2: previous 1; should be: previous none",
            "shop: contacts 1: last_consent 2; should be: last_consent 1",
            "shop: consents 2: customer 3, who has no contact; should be: a contact",
        ],
    ),
    (
        "DELETE FROM person_keys WHERE account_id = 1 AND kind = 2",
        &["shop: person_keys 2/ben@example.com: no row; should be: a key of customer 2"],
    ),
    (
        "UPDATE person_keys SET customer = 3 WHERE account_id = 1 AND kind = 1",
        &[
            "shop: person_keys 1/u1: no row; should be: a key of customer 1",
            "shop: person_keys 1/u1: customer 3, whose it is not; should be: the customer's own",
        ],
    ),
    (
        "UPDATE customers SET email = NULL WHERE account_id = 1 AND number = 2",
        &[
            "shop: person_keys 2/ben@example.com: customer 2, whose it is not; should be: the customer's own",
            "shop: search_texts 2: another text; should be: the text of what the customer has",
        ],
    ),
    (
        "UPDATE purchases SET customer = NULL WHERE account_id = 1",
        &["shop: purchases T1: customer none; should be: customer 1"],
    ),
    (
        "UPDATE purchases SET status = 'sold' WHERE account_id = 1",
        &["shop: purchases T1: status sold; should be: a documented one"],
    ),
    (
        "UPDATE purchase_contacts SET customer = 9 WHERE account_id = 1 AND place = 1",
        &["shop: purchase_contacts T1/1: customer 9, who does not exist; should be: a customer"],
    ),
    (
        "UPDATE outbox SET state = 'pending' WHERE account_id = 1",
        &[
            "shop: outbox 1: state pending; should be: pending, or done",
            "shop: outbox 1: not in the queue; should be: in the queue, since it is pending",
        ],
    ),
    (
        "UPDATE outbox SET event_id = 'evt_1_2_0000000000000000' WHERE account_id = 1",
        &["shop: outbox 1: event_id evt_1_2_0000000000000000; should be: an id of this webhook"],
    ),
    (
        "UPDATE outbox SET job = 2 WHERE account_id = 1",
        &["shop: outbox 1: job 2, whose webhook is none; should be: the job's own"],
    ),
    (
        "DELETE FROM outbox WHERE account_id = 1",
        &[
            "shop: attempts 1: event 1, which does not exist; should be: a webhook",
            "shop: sync_jobs 1: event 1, which does not exist; should be: a webhook",
        ],
    ),
    (
        "INSERT INTO outbox_queue (account_id, event, due_at, asked, claimed_until) VALUES (1, 1, 0, 0, 0)",
        &["shop: outbox 1: in the queue; should be: not in the queue, since it is done"],
    ),
    (
        "INSERT INTO outbox_queue (account_id, event, due_at, asked, claimed_until) VALUES (1, 5, 0, 0, 0)",
        &["shop: outbox_queue 5: event 5, which does not exist; should be: a webhook"],
    ),
    (
        "DELETE FROM attempts WHERE account_id = 1",
        &["shop: outbox 1: 0 rows of attempts up to 0; should be: attempts 1"],
    ),
    (
        "UPDATE idempotency SET outcome = '{\"job\":7}' WHERE dialect = 'sync_data'",
        &["shop: idempotency sync_data//key:one: job 7, which does not exist; should be: a job"],
    ),
    (
        "INSERT INTO custom_names (account_id, kind, name) VALUES (7, 1, 'x')",
        &["#7: custom_names -: no account; should be: rows of an account"],
    ),
];
