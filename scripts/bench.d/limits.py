"""What the machine and the engines allow at most: HTTP that does nothing, flushes, bulk loaders, bare group commits.

The rows are those that the gateway writes for the same lines: journal, balances and, for groups, batches."""
import os
import random
import sqlite3
import subprocess
import time
from pathlib import Path

from loads import CONNECTIONS, LINES, curl, run_wrk
from system import Server, sql_command
from world import BIG, CUSTOMERS

POINT = 10_000
JOURNAL = ("account_id, number, customer, campaign, item, kind, amount, balance_after, date, recorded_at, previous, batch,"
           " line, user, given, flags, authorization")
BALANCES = "account_id, customer, campaign, item, balance, last_entry"
BATCHES = ("account_id, number, commit_id, user, recorded_at, first_entry, transactions, rejected, new_customers,"
           " undoable, layout")
SQLITE_UPSERT = " ON CONFLICT DO UPDATE SET balance = excluded.balance, last_entry = excluded.last_entry"
MARIADB_UPSERT = " ON DUPLICATE KEY UPDATE balance = VALUES(balance), last_entry = VALUES(last_entry)"
SINGLE = 5000  # commits of one row
SINGLE_GROUPS = {(64, 1): 500, (32, 10): 200, (4, 1000): 20}  # requests, lines each: how many groups


class Rows:
    """Rows as the gateway would write them, from the first free numbers on."""

    def __init__(self, database):
        self.entry, self.batch = database.ask("SELECT next_entry, next_batch FROM account_heads WHERE account_id = 1")
        self.drawn = random.Random(16)

    def group(self, requests, lines):
        """Journal, balances in the order of their keys, batches."""
        journal, balances, batches = [], {}, []
        for _ in range(requests):
            batches.append((1, self.batch, "0123456789abcdef", 1, 1, self.entry, lines, 0, 0, 0, None))
            for line in range(1, lines + 1):
                customer = self.drawn.randint(1, CUSTOMERS)
                journal.append((1, self.entry, customer, 1, 0, 1, POINT, 100 * POINT, 20250102, 1_700_000_000_000_000,
                                customer, self.batch, line, 1, "1.00", 0, "receipt %d" % line))
                balances[customer] = (1, customer, 1, 0, 100 * POINT, self.entry)
                self.entry += 1
            self.batch += 1
        return journal, [balances[key] for key in sorted(balances)], batches


def per_second(count, work):
    began = time.monotonic()
    work()
    return count / (time.monotonic() - began)


def flushes(folder):
    """4 KiB appended and synced, one after the other."""
    with open(folder / "flush", "wb", buffering=0) as file:
        def append():
            for _ in range(SINGLE):
                file.write(bytes(4096))
                os.fdatasync(file.fileno())
        rate = per_second(SINGLE, append)
    os.unlink(file.name)
    return rate


class SqliteLimits:
    def __init__(self, database):
        self.database = database

    def open(self):
        self.database.reset()
        db = self.database.connect()
        db.execute("PRAGMA synchronous = FULL")
        db.execute("PRAGMA wal_autocheckpoint = 16384")
        return db

    @staticmethod
    def insert(db, table, columns, rows, upsert=""):
        marks = ",".join("?" * (columns.count(",") + 1))
        db.executemany("INSERT INTO %s (%s) VALUES (%s)%s" % (table, columns, marks, upsert), rows)

    def groups(self, requests, lines, count, with_batches=True):
        rows = Rows(self.database)
        made = [rows.group(requests, lines) for _ in range(count)]
        db = self.open()

        def write():
            for journal, balances, batches in made:
                db.execute("BEGIN IMMEDIATE")
                if with_batches:
                    self.insert(db, "batches", BATCHES, batches)
                self.insert(db, "journal", JOURNAL, journal)
                self.insert(db, "balances", BALANCES, balances, SQLITE_UPSERT)
                db.execute("COMMIT")
        rate = per_second(requests * lines * count, write)
        db.close()
        return rate

    def single(self):
        made = Rows(self.database).group(1, SINGLE)[0]
        db = self.open()
        rate = per_second(SINGLE, lambda: [self.insert(db, "journal", JOURNAL, [row]) for row in made])
        db.close()
        return rate

    def loader(self):
        """The engine's own client: .import of CSV files and one upsert of the balances, one transaction."""
        journal, balances, _ = Rows(self.database).group(1, BIG)
        db = self.open()
        columns = [row[1] for row in db.execute("PRAGMA table_info(journal)")]
        db.close()
        named = JOURNAL.split(", ")
        whole = ([values.get(column, "") for column in columns] for values in (dict(zip(named, row)) for row in journal))
        files = [self.database.program.folder / name for name in ("journal.csv", "balances.csv")]
        for file, rows in zip(files, (whole, balances)):
            file.write_text("".join(",".join(map(str, row)) + "\n" for row in rows))
        script = ("PRAGMA synchronous = FULL;\nCREATE TEMP TABLE loaded (%s);\n.mode csv\nBEGIN IMMEDIATE;\n"
                  ".import %s journal\n.import --schema temp %s loaded\n"
                  "INSERT INTO balances SELECT * FROM loaded WHERE true%s;\nCOMMIT;\n"
                  % (BALANCES, *files, SQLITE_UPSERT))
        command = ["sqlite3", "-bail", self.database.file]
        return per_second(BIG, lambda: subprocess.run(command, input=script, text=True, check=True))


class MariadbLimits:
    def __init__(self, database):
        self.database = database

    def feed(self, statements, count):
        """The time the client takes for them; each line one round trip."""
        self.database.reset()
        file = self.database.program.folder / "feed.sql"
        file.write_text("SET autocommit = 0;\n" + "".join(statement + ";\n" for statement in statements))
        command, env = sql_command(self.database.schema)
        with open(file) as feed:
            return per_second(count, lambda: subprocess.run(command, stdin=feed, env=env, check=True))

    @staticmethod
    def insert(table, columns, rows, upsert=""):
        texts = ",".join("(%s)" % ",".join(map(literal, row)) for row in rows)
        return "INSERT INTO %s (%s) VALUES %s%s" % (table, columns, texts, upsert)

    def groups(self, requests, lines, count):
        rows, statements = Rows(self.database), []
        for _ in range(count):
            journal, balances, batches = rows.group(requests, lines)
            statements += [self.insert("batches", BATCHES, batches), self.insert("journal", JOURNAL, journal),
                           self.insert("balances", BALANCES, balances, MARIADB_UPSERT), "COMMIT"]
        return self.feed(statements, requests * lines * count)

    def single(self):
        made = Rows(self.database).group(1, SINGLE)[0]
        rows = [text for row in made for text in (self.insert("journal", JOURNAL, [row]), "COMMIT")]
        return self.feed(rows, SINGLE)

    def loader(self):
        """LOAD DATA of the journal, and LOAD DATA and an upsert of the balances, one transaction."""
        journal, balances, _ = Rows(self.database).group(1, BIG)
        loads = []
        for name, rows in (("journal", journal), ("loaded", balances)):
            file = self.database.program.folder / (name + ".tsv")
            file.write_text("".join("\t".join(map(str, row)) + "\n" for row in rows))
            loads.append("LOAD DATA LOCAL INFILE '%s' INTO TABLE %s (%s)" % (file, name, JOURNAL if name == "journal" else BALANCES))
        return self.feed(["CREATE TEMPORARY TABLE loaded LIKE balances", *loads,
                          "INSERT INTO balances SELECT * FROM loaded" + MARIADB_UPSERT, "COMMIT"], BIG)


def literal(value):
    if value is None:
        return "NULL"
    return "'%s'" % value if isinstance(value, str) else str(value)


def http(program, world, seconds):
    """The same requests, answered by a server that does nothing; requests a second."""
    binary = Path(program.binary).with_name("examples") / "http_limit"
    rates = {}
    with Server([binary, "127.0.0.1:0"], program.env, program.folder / "http.log") as server:
        for name in ("W1", "W2", "W4", "lone", "activity", "balance"):
            kind = name if name in ("activity", "balance") else "batch"
            got = run_wrk(server.url, world, LINES[name], CONNECTIONS[name], seconds, kind=kind)
            rates["HTTP that does nothing, %s" % name] = ("requests/s", got["requests"] / got["seconds"])
        rates["HTTP that does nothing, W3"] = ("requests/s", 1 / curl(server.url, world.big, "/dev/null"))
    return rates


def measure(program, databases, seconds):
    """One pass over all limits: name -> (unit, figure)."""
    rates = http(program, databases[0].world, seconds)
    rates["fdatasync of 4 KiB appended"] = ("flushes/s", flushes(program.folder))
    for database in databases:
        sqlite = database.name == "SQLite"
        limits = SqliteLimits(database) if sqlite else MariadbLimits(database)
        name = database.name + ": "
        rates[name + "commits of one row, one after the other"] = ("commits/s", limits.single())
        for (requests, lines), count in SINGLE_GROUPS.items():
            what = "%d requests of %d lines in each commit, one writer" % (requests, lines)
            rates[name + what] = ("lines/s", limits.groups(requests, lines, count))
        loader = "sqlite3 .import" if sqlite else "LOAD DATA"
        rates[name + "%s of 100,000 lines and their balances" % loader] = ("lines/s", limits.loader())
        if sqlite:
            rates[name + "prepared statements, 100,000 lines and their balances"] = (
                "lines/s", limits.groups(1, BIG, 1))
    return rates
