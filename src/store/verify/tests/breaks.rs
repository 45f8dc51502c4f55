//! Statements that break the world of the tests, and the findings they bring.

pub(super) const BREAKS: &[(&str, &[&str])] = &[
    // Numbers of entries.
    (
        "DELETE FROM journal WHERE account_id = 1 AND number = 8",
        &[
            "shop: journal 9: follows 7; should be: 8",
            "shop: balances 1/3/1: balance 10; should be: no row: it has no entries",
        ],
    ),
    (
        "DELETE FROM journal WHERE account_id = 1 AND number = 9",
        &[
            "shop: batches 4: transactions 1; should be: transactions 0",
            "shop: account_heads next_entry: 10; should be: 9",
            "shop: entry_dates 20130315: lowest 9, highest 16383; should be: no row: no entry has this date",
            "shop: balances 1/1/0: balance 5; should be: balance 7",
            "shop: balances 1/1/0: last_entry 9; should be: last_entry 4",
        ],
    ),
    (
        "UPDATE account_heads SET next_entry = 11 WHERE account_id = 1",
        &["shop: account_heads next_entry: 11; should be: 10"],
    ),
    (
        "UPDATE journal SET number = 0 WHERE account_id = 2",
        &[
            "cafe: journal 0: follows 0; should be: 1",
            "cafe: batches 1: first_entry 1; should be: first_entry 0",
            "cafe: account_heads next_entry: 2; should be: 1",
            "cafe: entry_dates 20151203: lowest 1, highest 16383; should be: lowest 0, highest 0 to 16383",
            "cafe: balances 1/1/0: last_entry 1; should be: last_entry 0",
        ],
    ),
    (
        "UPDATE journal SET number = 9223372036854775807 WHERE account_id = 2",
        &[
            "cafe: journal 9223372036854775807: follows 0; should be: 1",
            "cafe: batches 1: first_entry 1; should be: first_entry 9223372036854775807",
            "cafe: account_heads next_entry: 2; should be: 9223372036854775807",
            "cafe: entry_dates 20151203: lowest 1, highest 16383; should be: lowest 9223372036854775807, highest 9223372036854775807 to 9223372036854775807",
            "cafe: balances 1/1/0: last_entry 1; should be: last_entry 9223372036854775807",
        ],
    ),
    // Users and custom fields.
    (
        "UPDATE users SET permissions = 16 WHERE account_id = 1 AND number = 1",
        &["shop: users 1: permissions 16; should be: 0 to 15"],
    ),
    (
        "UPDATE users SET active = 0 WHERE account_id = 1 AND number = 1",
        &[
            "shop: users 1: a deleted user with a key, a password or a right; should be: none of them",
        ],
    ),
    (
        "INSERT INTO api_keys (account_id, user, hash, kind, created_at) VALUES (1, 99, 'x', 'api', 0)",
        &["shop: api_keys 99: a key of no user; should be: a key of a user"],
    ),
    (
        "INSERT INTO custom_fields (account_id, number, label, shown, kind, searchable, is_unique, required) \
         VALUES (1, 2, 'x', 1, 9, 0, 0, 0)",
        &["shop: custom_fields 2: kind 9; should be: a kind that is known"],
    ),
    // Chains and sums.
    (
        "UPDATE journal SET previous = NULL WHERE account_id = 1 AND number = 4",
        &["shop: journal 4: previous none; should be: previous 1"],
    ),
    (
        "UPDATE journal SET previous = 2 WHERE account_id = 1 AND number = 4",
        &["shop: journal 4: previous 2; should be: previous 1"],
    ),
    (
        "UPDATE journal SET previous = 1 WHERE account_id = 1 AND number = 2",
        &["shop: journal 2: previous 1; should be: previous none"],
    ),
    (
        "UPDATE journal SET balance_after = 80000 WHERE account_id = 1 AND number = 4",
        &["shop: journal 4: balance_after 8; should be: balance_after 7"],
    ),
    (
        "UPDATE journal SET balance_after = 60000 WHERE account_id = 1 AND number = 9",
        &["shop: journal 9: balance_after 6; should be: balance_after 5"],
    ),
    (
        "UPDATE journal SET amount = 110000 WHERE account_id = 1 AND number = 1",
        &["shop: journal 1: balance_after 10; should be: balance_after 11"],
    ),
    (
        "UPDATE journal SET amount = 9223372036854770000 WHERE account_id = 2; UPDATE journal SET balance_after = 9223372036854770000 WHERE account_id = 2",
        &[
            "cafe: journal 1: balance_after 922337203685477; should be: at most 1000000000000 either way",
            "cafe: balances 1/1/0: balance 1; should be: balance 922337203685477",
        ],
    ),
    (
        "UPDATE journal SET kind = 1, amount = 9223372036854770000 WHERE account_id = 1 AND number = 9",
        &["shop: journal 9: balance_after 5; should be: balance_after within 64 bits"],
    ),
    // Balances.
    (
        "UPDATE balances SET balance = 1 WHERE account_id = 1 AND customer = 2",
        &["shop: balances 2/1/0: balance 0.0001; should be: balance 5.5"],
    ),
    (
        "UPDATE balances SET last_entry = 1 WHERE account_id = 1 AND customer = 2",
        &["shop: balances 2/1/0: last_entry 1; should be: last_entry 2"],
    ),
    (
        "DELETE FROM balances WHERE account_id = 1 AND customer = 2",
        &["shop: balances 2/1/0: no row; should be: balance 5.5, last_entry 2"],
    ),
    (
        "INSERT INTO balances (account_id, customer, campaign, item, balance, last_entry) VALUES (1, 2, 2, 0, 0, 1)",
        &["shop: balances 2/2/0: balance 0; should be: no row: it has no entries"],
    ),
    (
        "UPDATE campaigns SET allow_negative = 0 WHERE account_id = 1 AND number = 4",
        &[
            "shop: balances 1/4/0: balance -4; should be: zero or more: its campaign has not allow_negative",
        ],
    ),
    // Kinds and signs.
    (
        "UPDATE journal SET kind = 2 WHERE account_id = 1 AND number = 2",
        &["shop: journal 2: amount 5.5; should be: zero or less, since it redeems"],
    ),
    (
        "UPDATE journal SET kind = 1 WHERE account_id = 1 AND number = 9",
        &["shop: journal 9: amount -2; should be: zero or more, since it adds"],
    ),
    (
        "UPDATE journal SET kind = 3 WHERE account_id = 1 AND number = 9",
        &["shop: journal 9: amount -2; should be: zero or more, since it adds"],
    ),
    (
        "UPDATE journal SET kind = 5 WHERE account_id = 1 AND number = 9",
        &["shop: journal 9: kind 5; should be: 1 to 4"],
    ),
    (
        "UPDATE journal SET kind = 2 WHERE account_id = 1 AND number = 7",
        &[
            "shop: journal 7: kind 2 and reverses 3; should be: kind 4 where an entry is reversed, and only there",
        ],
    ),
    // Reversals.
    (
        "UPDATE journal SET reverses = NULL WHERE account_id = 1 AND number = 7",
        &[
            "shop: journal 7: kind 4 and reverses none; should be: kind 4 where an entry is reversed, and only there",
            "shop: reversals 3: by_entry 7, which reverses none; should be: an entry that reverses 3",
        ],
    ),
    (
        "UPDATE journal SET reverses = 2 WHERE account_id = 1 AND number = 7; UPDATE reversals SET entry = 2 WHERE account_id = 1",
        &[
            "shop: journal 7: reverses 2 of another balance; should be: an entry of its own balance",
            "shop: journal 7: amount -20; should be: amount -5.5",
        ],
    ),
    (
        "UPDATE journal SET reverses = 7 WHERE account_id = 1 AND number = 7; UPDATE reversals SET entry = 7 WHERE account_id = 1",
        &["shop: journal 7: reverses 7; should be: an earlier entry"],
    ),
    (
        "UPDATE journal SET reverses = 40 WHERE account_id = 1 AND number = 7; UPDATE reversals SET entry = 40 WHERE account_id = 1",
        &["shop: journal 7: reverses 40; should be: an earlier entry"],
    ),
    (
        "DELETE FROM reversals WHERE account_id = 1",
        &["shop: reversals 3: no row; should be: by_entry 7"],
    ),
    (
        "UPDATE reversals SET by_entry = 6 WHERE account_id = 1",
        &[
            "shop: journal 7: reverses 3, which reversals says 6 does; should be: reversed once, and said so",
            "shop: reversals 3: by_entry 6, which reverses none; should be: an entry that reverses 3",
        ],
    ),
    (
        "UPDATE reversals SET by_entry = 60 WHERE account_id = 1",
        &[
            "shop: journal 7: reverses 3, which reversals says 60 does; should be: reversed once, and said so",
            "shop: reversals 3: by_entry 60, which does not exist; should be: an entry that reverses 3",
        ],
    ),
    (
        "INSERT INTO reversals (account_id, entry, by_entry) VALUES (1, 2, 7)",
        &["shop: reversals 2: by_entry 7, which reverses 3; should be: an entry that reverses 2"],
    ),
    (
        "UPDATE journal SET kind = 4, reverses = 3 WHERE account_id = 1 AND number = 9",
        &[
            "shop: journal 9: reverses 3 of another balance; should be: an entry of its own balance",
            "shop: journal 9: date 20130315; should be: date 20151203",
            "shop: journal 9: amount -2; should be: amount -20",
            "shop: journal 9: reverses 3, which reversals says 7 does; should be: reversed once, and said so",
        ],
    ),
    (
        "UPDATE journal SET date = 20151202 WHERE account_id = 1 AND number = 3; UPDATE entry_dates SET lowest = 1 WHERE account_id = 1 AND date = 20151203; INSERT INTO entry_dates (account_id, date, lowest, highest) VALUES (1, 20151202, 3, 3)",
        &["shop: journal 7: date 20151203; should be: date 20151202"],
    ),
    (
        "UPDATE journal SET kind = 4, reverses = 2 WHERE account_id = 1 AND number = 3; INSERT INTO reversals (account_id, entry, by_entry) VALUES (1, 2, 3)",
        &[
            "shop: journal 3: reverses 2 of another balance; should be: an entry of its own balance",
            "shop: journal 3: amount 20; should be: amount -5.5",
            "shop: journal 7: reverses 3, a reversal itself; should be: an entry that reverses nothing",
        ],
    ),
    // Decimals and dates.
    (
        "UPDATE journal SET amount = 55001, balance_after = 55001 WHERE account_id = 1 AND number = 2; UPDATE balances SET balance = 55001 WHERE account_id = 1 AND customer = 2",
        &["shop: journal 2: amount 5.5001; should be: at most 2 decimals"],
    ),
    (
        "UPDATE journal SET amount = 105000, balance_after = 105000 WHERE account_id = 1 AND number = 8; UPDATE balances SET balance = 105000 WHERE account_id = 1 AND campaign = 3",
        &["shop: journal 8: amount 10.5; should be: at most 0 decimals"],
    ),
    (
        "UPDATE journal SET date = 20150230 WHERE account_id = 2; UPDATE entry_dates SET date = 20150230 WHERE account_id = 2",
        &["cafe: journal 1: date 20150230; should be: a day of the calendar"],
    ),
    (
        "UPDATE entry_dates SET lowest = 2 WHERE account_id = 1 AND date = 20151203",
        &[
            "shop: entry_dates 20151203: lowest 2, highest 16383; should be: lowest 1, highest 8 to 16383",
        ],
    ),
    (
        "UPDATE entry_dates SET highest = 7 WHERE account_id = 1 AND date = 20151203",
        &[
            "shop: entry_dates 20151203: lowest 1, highest 7; should be: lowest 1, highest 8 to 16383",
        ],
    ),
    (
        "UPDATE entry_dates SET highest = 16384 WHERE account_id = 1 AND date = 20151203",
        &[
            "shop: entry_dates 20151203: lowest 1, highest 16384; should be: lowest 1, highest 8 to 16383",
        ],
    ),
    (
        "UPDATE entry_dates SET date = 20130316 WHERE account_id = 1 AND date = 20130315",
        &[
            "shop: entry_dates 20130316: lowest 9, highest 16383; should be: no row: no entry has this date",
            "shop: entry_dates 20130315: no row; should be: lowest 9, highest 9 to 16383",
        ],
    ),
    // What an entry names.
    (
        "UPDATE journal SET line = NULL WHERE account_id = 1 AND number = 9",
        &["shop: journal 9: batch 4 and line none; should be: both or none"],
    ),
    (
        "UPDATE journal SET user = 9 WHERE account_id = 1 AND number = 9",
        &["shop: journal 9: user 9, who does not exist; should be: a user"],
    ),
    (
        "UPDATE journal SET reward = 9 WHERE account_id = 1 AND number = 9",
        &["shop: journal 9: reward 9; should be: a reward of campaign 1"],
    ),
    (
        "UPDATE journal SET reward = 2 WHERE account_id = 1 AND number = 9",
        &["shop: journal 9: reward 2; should be: a reward of campaign 1"],
    ),
    (
        "UPDATE journal SET customer = 9 WHERE account_id = 1 AND number = 8; UPDATE balances SET customer = 9 WHERE account_id = 1 AND campaign = 3",
        &["shop: journal 8: customer 9, who does not exist; should be: a customer"],
    ),
    (
        "UPDATE journal SET campaign = 9 WHERE account_id = 1 AND number = 8; UPDATE balances SET campaign = 9 WHERE account_id = 1 AND campaign = 3",
        &["shop: journal 8: campaign 9, which does not exist; should be: a campaign"],
    ),
    (
        "UPDATE journal SET item = 2 WHERE account_id = 1 AND number = 8; UPDATE balances SET item = 2 WHERE account_id = 1 AND campaign = 3",
        &["shop: journal 8: item 2; should be: an item of campaign 3"],
    ),
    (
        "UPDATE journal SET item = 1 WHERE account_id = 1 AND number = 2; UPDATE balances SET item = 1 WHERE account_id = 1 AND customer = 2",
        &["shop: journal 2: item 1; should be: item 0: its campaign has no items"],
    ),
    // Configuration.
    (
        "UPDATE campaigns SET kind = 'stamps' WHERE account_id = 1 AND number = 3",
        &["shop: campaigns 3: kind stamps; should be: a kind that is known"],
    ),
    (
        "UPDATE campaigns SET decimals = 5 WHERE account_id = 2",
        &["cafe: campaigns 1: decimals 5; should be: 0 to 4"],
    ),
    (
        "UPDATE accounts SET currency = 'ZZZ' WHERE id = 2",
        &["cafe: accounts -: currency ZZZ; should be: a currency of ISO 4217"],
    ),
    // Batches.
    (
        "DELETE FROM batches WHERE account_id = 1 AND number = 4",
        &[
            "shop: journal 9: batch 4, which does not exist or ended earlier; should be: next to the entries of its batch",
            "shop: account_heads next_batch: 5; should be: 4",
            "shop: idempotency api15/till/same:four: batch 4, which does not exist; should be: a batch",
        ],
    ),
    (
        "DELETE FROM batches WHERE account_id = 1 AND number = 2",
        &[
            "shop: batches 3: follows 1; should be: 2",
            "shop: rejections 2: batch 2, which does not exist or ended earlier; should be: next to the rejections of its batch",
        ],
    ),
    (
        "UPDATE account_heads SET next_batch = 6 WHERE account_id = 1",
        &["shop: account_heads next_batch: 6; should be: 5"],
    ),
    (
        "UPDATE batches SET transactions = 2 WHERE account_id = 1 AND number = 1",
        &["shop: batches 1: transactions 2; should be: transactions 3"],
    ),
    (
        "UPDATE batches SET rejected = 2 WHERE account_id = 1 AND number = 2",
        &["shop: batches 2: rejected 2; should be: rejected 1"],
    ),
    (
        "UPDATE batches SET first_entry = 5 WHERE account_id = 1 AND number = 3",
        &["shop: batches 3: first_entry 5; should be: first_entry 4"],
    ),
    (
        "UPDATE batches SET first_entry = 3 WHERE account_id = 1 AND number = 2",
        &["shop: batches 2: first_entry 3; should be: first_entry from 4 to 4"],
    ),
    (
        "UPDATE batches SET first_entry = 5 WHERE account_id = 1 AND number = 2",
        &["shop: batches 2: first_entry 5; should be: first_entry from 4 to 4"],
    ),
    (
        "UPDATE batches SET kind = 2 WHERE account_id = 1 AND number = 3",
        &["shop: batches 3: kind 2 and 0 customers; should be: kind 1, or kind 0 and no customers"],
    ),
    (
        "UPDATE batches SET customers = 3 WHERE account_id = 1 AND number = 3",
        &["shop: batches 3: kind 0 and 3 customers; should be: kind 1, or kind 0 and no customers"],
    ),
    (
        "UPDATE rejections SET source = 'customers' WHERE account_id = 1 AND batch = 2",
        &[
            "shop: rejections 2: a source that batch 2 has not; should be: customers for a batch of customers",
        ],
    ),
    (
        "INSERT INTO undo_images (account_id, batch, customer, created, image, recorded_at) \
         VALUES (1, 3, 99, 0, '{\"colour\":[null,null]}', 0)",
        &[
            "shop: undo_images 3/99: batch 3; should be: a batch of customers that can be undone",
            "shop: undo_images 3/99: customer 99, who does not exist or was erased; should be: a customer",
            "shop: undo_images 3/99: another image; should be: fields with two values each",
        ],
    ),
    (
        "UPDATE batches SET user = 9 WHERE account_id = 1 AND number = 3",
        &["shop: batches 3: user 9, who does not exist; should be: a user"],
    ),
    (
        "UPDATE batches SET commit_id = X'00000000000000000000000000000000' WHERE account_id = 1 AND number = 3",
        &[
            "shop: batches 3: commit_id 00000000000000000000000000000000 of no commit; should be: the id of a commit",
        ],
    ),
    (
        "DELETE FROM commits WHERE account_id = 2",
        &[
            "cafe: batches 1: commit_id 02020202020202020202020202020202 of no commit; should be: the id of a commit",
        ],
    ),
    // Lines of batches.
    (
        "UPDATE journal SET batch = NULL, line = NULL WHERE account_id = 1 AND number = 2",
        &[
            "shop: batches 1: transactions 3; should be: transactions 1",
            "shop: journal 3: batch 1, which does not exist or ended earlier; should be: next to the entries of its batch",
        ],
    ),
    (
        "UPDATE journal SET batch = 3, line = 9 WHERE account_id = 1 AND number = 8",
        &[
            "shop: journal 8: batch 3, which does not exist or ended earlier; should be: next to the entries of its batch",
        ],
    ),
    (
        "UPDATE journal SET batch = 1, line = 9 WHERE account_id = 1 AND number = 9",
        &[
            "shop: journal 9: batch 1, which does not exist or ended earlier; should be: next to the entries of its batch",
            "shop: batches 4: transactions 1; should be: transactions 0",
        ],
    ),
    (
        "UPDATE journal SET batch = 9 WHERE account_id = 1 AND number = 9",
        &[
            "shop: batches 4: transactions 1; should be: transactions 0",
            "shop: journal 9: batch 9, which does not exist or ended earlier; should be: next to the entries of its batch",
        ],
    ),
    (
        "UPDATE journal SET line = 1 WHERE account_id = 1 AND number = 2",
        &["shop: journal 2: line 1 of batch 1, behind line 1; should be: each line once, in order"],
    ),
    (
        "UPDATE rejections SET line = 3 WHERE account_id = 1 AND number = 1",
        &[
            "shop: rejections 1: line 3 of batch 1, behind line 3; should be: each line once, in order",
        ],
    ),
    (
        "UPDATE rejections SET line = NULL WHERE account_id = 1 AND number = 1",
        &["shop: rejections 1: no line; should be: a line of its batch"],
    ),
    (
        "UPDATE rejections SET batch = 9 WHERE account_id = 1 AND number = 2",
        &[
            "shop: batches 2: rejected 1; should be: rejected 0",
            "shop: rejections 2: batch 9, which does not exist or ended earlier; should be: next to the rejections of its batch",
        ],
    ),
    (
        "UPDATE rejections SET batch = 3, line = 9 WHERE account_id = 1 AND number = 1",
        &[
            "shop: batches 1: rejected 1; should be: rejected 0",
            "shop: batches 2: rejected 1; should be: rejected 0",
            "shop: batches 3: rejected 0; should be: rejected 1",
            "shop: rejections 2: batch 2, which does not exist or ended earlier; should be: next to the rejections of its batch",
            "shop: idempotency api15/till/key:one: first_rejection 1, which is of batch 3; should be: a rejection of batch 1",
        ],
    ),
    // Rejections.
    (
        "UPDATE rejections SET number = 3 WHERE account_id = 1 AND number = 2",
        &["shop: rejections 3: number 3; should be: from 1 to below next_rejection 3"],
    ),
    (
        "DELETE FROM rejections WHERE account_id = 1 AND number = 2",
        &["shop: batches 2: rejected 1; should be: rejected 0"],
    ),
    (
        "UPDATE rejections SET class = 'request' WHERE account_id = 1 AND number = 2",
        &["shop: rejections 2: class request; should be: fault or decline"],
    ),
    (
        "UPDATE rejections SET state = 'lost' WHERE account_id = 1 AND number = 2",
        &[
            "shop: rejections 2: state lost; should be: one of open, record, superseded, replayed, dismissed, expired",
        ],
    ),
    (
        "UPDATE rejections SET state = 'expired' WHERE account_id = 1 AND number = 2",
        &["shop: rejections 2: expired with its text; should be: without any"],
    ),
    (
        "UPDATE rejections SET state = 'open' WHERE account_id = 1 AND number = 2; UPDATE account_heads SET open_faults = 2 WHERE account_id = 1",
        &["shop: rejections 2: an open decline; should be: a record"],
    ),
    (
        "UPDATE rejections SET state = 'superseded' WHERE account_id = 1 AND number = 1",
        &["shop: account_heads open_faults: 1; should be: 0"],
    ),
    (
        "UPDATE account_heads SET open_faults = 0 WHERE account_id = 1",
        &["shop: account_heads open_faults: 0; should be: 1"],
    ),
    (
        "UPDATE rejections SET user = 9 WHERE account_id = 1 AND number = 1",
        &["shop: rejections 1: user 9, who does not exist; should be: a user"],
    ),
    (
        "UPDATE rejections SET effective_date = 20151301 WHERE account_id = 1 AND number = 1",
        &["shop: rejections 1: effective_date 20151301; should be: a day of the calendar"],
    ),
    // What is kept of requests that come again.
    (
        "UPDATE idempotency SET outcome = '{}' WHERE name = 'key:one'",
        &[
            "shop: idempotency api15/till/key:one: an outcome that cannot be read; should be: a batch and its first rejection",
        ],
    ),
    (
        "UPDATE idempotency SET outcome = '{\"batch\":0,\"first_rejection\":1}' WHERE name = 'key:one'",
        &[
            "shop: idempotency api15/till/key:one: batch 0, which does not exist; should be: a batch",
        ],
    ),
    (
        "UPDATE idempotency SET outcome = '{\"batch\":5,\"first_rejection\":3}' WHERE name = 'same:four'",
        &[
            "shop: idempotency api15/till/same:four: batch 5, which does not exist; should be: a batch",
        ],
    ),
    (
        "UPDATE idempotency SET outcome = '{\"batch\":1,\"first_rejection\":2}' WHERE name = 'key:one'",
        &[
            "shop: idempotency api15/till/key:one: first_rejection 2, which is of batch 2; should be: a rejection of batch 1",
        ],
    ),
    (
        "UPDATE idempotency SET outcome = '{\"batch\":1,\"first_rejection\":3}' WHERE name = 'key:one'",
        &[
            "shop: idempotency api15/till/key:one: first_rejection 3, which is of batch none; should be: a rejection of batch 1",
        ],
    ),
    (
        "UPDATE idempotency SET caller = '', name = 'rejection:1' WHERE name = 'same:four'",
        &[
            "shop: idempotency api15//rejection:1: rejection 1 is open; should be: one that was posted after all",
        ],
    ),
    (
        "UPDATE idempotency SET caller = '', name = 'rejection:3' WHERE name = 'same:four'",
        &[
            "shop: idempotency api15//rejection:3: rejection 3 is missing; should be: one that was posted after all",
        ],
    ),
    // Customers.
    (
        "UPDATE account_heads SET next_customer = 3 WHERE account_id = 1",
        &["shop: customers 3: number 3; should be: from 1 to below next_customer 3"],
    ),
    (
        "DELETE FROM customers WHERE account_id = 1 AND number = 2",
        &[
            "shop: customer_keys ben: customer 2, who does not exist; should be: a customer",
            "shop: journal 2: customer 2, who does not exist; should be: a customer",
            "shop: search_texts 2: a text; should be: no row: nobody has it",
        ],
    ),
    (
        "UPDATE search_texts SET folded = 'amy' WHERE account_id = 1 AND customer = 1",
        &["shop: search_texts 1: another text; should be: the text of what the customer has"],
    ),
    (
        "UPDATE customer_keys SET customer = 9 WHERE account_id = 1 AND value = 'ben'",
        &[
            "shop: customers 2: code ben held by 9; should be: held by 2",
            "shop: customer_keys ben: customer 9, who does not exist; should be: a customer",
        ],
    ),
    (
        "UPDATE customer_keys SET customer = 2 WHERE account_id = 1 AND value = 'card-1'",
        &[
            "shop: customers 1: card_number card-1 held by 2; should be: held by 1",
            "shop: customer_keys card-1: customer 2, whose code or card it is not; should be: the customer's own, or replaced",
        ],
    ),
    (
        "INSERT INTO customer_keys (account_id, value, customer, replaced) VALUES (1, 'stray', 1, 0)",
        &[
            "shop: customer_keys stray: customer 1, whose code or card it is not; should be: the customer's own, or replaced",
        ],
    ),
    (
        "DELETE FROM customer_keys WHERE account_id = 1 AND value = 'amy'",
        &["shop: customers 1: code amy held by nobody; should be: held by 1"],
    ),
    (
        "UPDATE customer_keys SET replaced = 1 WHERE account_id = 1 AND value = 'card-1'",
        &[
            "shop: customers 1: card_number card-1 marked as replaced; should be: a value that was not replaced",
        ],
    ),
    (
        "UPDATE customer_keys SET replaced = 1 WHERE account_id = 1 AND value = 'amy'",
        &[
            "shop: customers 1: code amy marked as replaced; should be: a value that was not replaced",
        ],
    ),
    // Heads and commits.
    (
        "UPDATE account_heads SET next_commit = 3 WHERE account_id = 1",
        &["shop: commits 3: nth 3; should be: from 1 to below next_commit 3"],
    ),
    (
        "UPDATE commits SET nth = 0 WHERE account_id = 2",
        &["cafe: commits 0: nth 0; should be: from 1 to below next_commit 2"],
    ),
    (
        "UPDATE account_heads SET next_sale = 0 WHERE account_id = 2",
        &[
            "cafe: account_heads next_sale: 0; should be: 1 or more",
            "cafe: account_heads next_sale: 0; should be: 1",
        ],
    ),
    (
        "DELETE FROM account_heads WHERE account_id = 2",
        &["cafe: accounts -: no head; should be: one head"],
    ),
    (
        "DELETE FROM accounts WHERE id = 2",
        &[
            "#2: customers -: no account; should be: rows of an account",
            "#2: customer_keys -: no account; should be: rows of an account",
            "#2: journal -: no account; should be: rows of an account",
            "#2: balances -: no account; should be: rows of an account",
            "#2: batches -: no account; should be: rows of an account",
            "#2: entry_dates -: no account; should be: rows of an account",
            "#2: commits -: no account; should be: rows of an account",
            "#2: idempotency -: no account; should be: rows of an account",
            "#2: search_texts -: no account; should be: rows of an account",
            "#2: account_heads -: no account; should be: a head of an account",
        ],
    ),
    // Profiles.
    (
        "INSERT INTO profiles (account_id, customer, registered, updated_at) VALUES (1, 99, 0, 0)",
        &["shop: profiles 99: customer 99, who does not exist; should be: a customer"],
    ),
    (
        "INSERT INTO profiles (account_id, customer, custom, username, registered, updated_at) VALUES (1, 1, '{\"100\":\"x\"}', 'Ann', 0, 0)",
        &[
            "shop: search_texts 1: another text; should be: the text of what the customer has",
            "shop: profiles 1: other custom fields; should be: an object of texts by the numbers 1 to 99",
        ],
    ),
    (
        "INSERT INTO profiles (account_id, customer, custom, registered, updated_at) VALUES (1, 1, '[]', 0, 0)",
        &[
            "shop: profiles 1: other custom fields; should be: an object of texts by the numbers 1 to 99",
        ],
    ),
    (
        "UPDATE customers SET code = NULL, card_number = NULL, city = 'Rome' WHERE account_id = 1 AND number = 1",
        &[
            "shop: customer_keys amy: customer 1, whose code or card it is not; should be: the customer's own, or replaced",
            "shop: customer_keys card-1: customer 1, whose code or card it is not; should be: the customer's own, or replaced",
            "shop: search_texts 1: a text; should be: no row: nobody has it",
            "shop: customers 1: a name or an address; should be: nothing, for it has neither code nor card number",
            "shop: customers 1: search_texts; should be: nothing, for it has neither code nor card number",
        ],
    ),
];
