"""Ten million entries, written past the program, such that `punchcard verify` holds: every customer of the only
account gets 1.00 point in each of a hundred rounds, in batches of 1,000 lines."""
from world import CUSTOMERS

BATCH = 1000
POINT = 10_000  # in ten-thousandths
RECORDED = 1_700_000_000_000_000


def fill(database, entries):
    rounds = entries // CUSTOMERS
    entry, batch = database.ask("SELECT next_entry, next_batch FROM account_heads WHERE account_id = 1")
    database.script([
        "CREATE TABLE bench_fill (place INTEGER NOT NULL PRIMARY KEY, customer BIGINT NOT NULL, balance BIGINT NOT NULL,"
        " last_entry BIGINT NOT NULL)",
        "INSERT INTO bench_fill SELECT ROW_NUMBER() OVER (ORDER BY customer) - 1, customer, balance, last_entry"
        " FROM balances WHERE account_id = 1",
    ])
    dates = {}
    for nth in range(rounds):
        first, day = entry + nth * CUSTOMERS, 20240101 + nth % 28
        dates.setdefault(day, [first, 0])[1] = first + CUSTOMERS - 1
        previous = "number - %d" % CUSTOMERS if nth else "last_entry"
        in_batch = "%d + (place - place %% %d) / %d" % (batch + nth * CUSTOMERS // BATCH, BATCH, BATCH)
        database.script([
            "INSERT INTO journal (account_id, number, customer, campaign, item, kind, amount, balance_after, date,"
            " recorded_at, previous, batch, line, user, given, flags, authorization)"
            " SELECT 1, number, customer, 1, 0, 1, %d, balance + %d, %d, %d, %s, in_batch, place %% %d + 1, 1, '1.00', 0,"
            " 'receipt' FROM (SELECT %d + place AS number, %s AS in_batch, place, customer, balance, last_entry"
            " FROM bench_fill) AS one_round ORDER BY place"
            % (POINT, (nth + 1) * POINT, day, RECORDED, previous, BATCH, first, in_batch),
            "INSERT INTO batches (account_id, number, commit_id, user, recorded_at, first_entry, transactions, rejected,"
            " new_customers, undoable) SELECT 1, %s, X'%032x', 1, %d, %d + place, %d, 0, 0, 0 FROM bench_fill"
            " WHERE place %% %d = 0" % (in_batch, nth + 1, RECORDED, first, BATCH, BATCH),
        ])
    written = rounds * CUSTOMERS
    database.script(
        ["INSERT INTO entry_dates (account_id, date, lowest, highest) VALUES (1, %d, %d, %d)" % (day, *ends)
         for day, ends in dates.items()]
        + ["REPLACE INTO balances (account_id, customer, campaign, item, balance, last_entry)"
           " SELECT 1, customer, 1, 0, balance + %d, %d + place FROM bench_fill"
           % (rounds * POINT, entry + written - CUSTOMERS),
           "UPDATE account_heads SET next_entry = next_entry + %d, next_batch = next_batch + %d WHERE account_id = 1"
           % (written, written // BATCH),
           "DROP TABLE bench_fill"])
