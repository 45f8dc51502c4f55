"""How fast `sync_data` is: jobs of 1,000 contacts taken and worked off, against a plain multi-row upsert of the same rows.

The yardstick writes what the gateway has written for those contacts, read from its own tables: customers, customer_keys,
contacts, person_keys and sync_items, sorted by key, with one commit for each 1,000 contacts, into a database as empty as
that of the gateway, and durable. On SQLite each table has one prepared statement for all rows of a commit; on MariaDB
each has one INSERT with 1,000 rows or, of keys, more, and one text is sent for each commit. Making the texts is not
counted."""
import http.client
import json
import socket
import statistics
import subprocess
import time
from urllib.parse import urlsplit

from system import Failed, Mariadb, Program, Server, Sqlite, sql, sql_command

JOBS, CONTACTS = 20, 1000
SECRET = "bench-secret"
WORLD = '[[account]]\nid = "hotel"\nname = "Hotel"\ncurrency = "EUR"\ntimezone = "UTC"\ncountry = "ES"\nsecret = "%s"\n' % SECRET
# What the gateway writes for a contact, with the columns of each key.
TABLES = {"customers": ("account_id", "number"), "customer_keys": ("account_id", "value"),
          "contacts": ("account_id", "customer"), "person_keys": ("account_id", "kind", "value", "customer"),
          "sync_items": ("account_id", "job", "item")}
EMPTIED = list(TABLES) + ["sync_jobs", "sync_parts", "sync_queue", "custom_names", "commits", "idempotency"]


class Hotels:
    """A world with one account and no customers."""

    accounts = 1

    def __init__(self, folder):
        self.file = folder / "hotel.toml"
        self.file.write_text(WORLD)


def contact(number):
    return {"user_id": "guest-%d" % number, "email": "guest.%d@example.com" % number, "name_first": "First%d" % number,
            "name_last": "Last%d" % number, "phone_countrycode": "+34", "phone_number": "6%08d" % (number % 10**8),
            "city": "Sevilla", "country": "Spain", "language": "es_ES", "born_date": "1990-01-01", "room": number % 300}


def bodies():
    """Each contact is another person."""
    return [json.dumps({"origin": "PMS", "contacts": [contact(job * CONTACTS + n) for n in range(CONTACTS)]})
            for job in range(JOBS)]


class Client:
    def __init__(self, url):
        self.connection = http.client.HTTPConnection(urlsplit(url).netloc)
        self.connection.connect()
        self.connection.sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)

    def ask(self, method, path, body=None):
        headers = {"Authorization": "Token token=" + SECRET, "Content-Type": "application/json"}
        self.connection.request(method, "/account/hotel/sync_data" + path, body, headers)
        answer = self.connection.getresponse()
        return answer.status, json.loads(answer.read())


def gateway(database, made):
    """Milliseconds to each 201, and contacts worked off in a second, of jobs that were all there at the beginning."""
    database.reset()
    with Server.of(database) as server:
        client = Client(server.url)
        taken, ids = [], []
        began = time.monotonic()
        for body in made:
            at = time.monotonic()
            status, answer = client.ask("POST", "", body)
            taken.append((time.monotonic() - at) * 1e3)
            if status != 201:
                log = (database.program.folder / "serve.log").read_text()
                raise Failed("a job was answered with %d: %s; the log says: %s" % (status, answer, log[-500:]))
            ids.append(answer["_id"])
        views = []
        for job in ids:
            while True:
                view = client.ask("GET", "/%s?limit=1" % job)[1]
                if view["status"] in ("completed", "failed"):
                    break
                time.sleep(0.005)
            views.append(view)
        seconds = time.monotonic() - began
    if any(view["contacts_valid_count"] != CONTACTS for view in views):
        raise Failed("contacts failed")
    database.program.run(database.url, "verify")
    return {"taken": statistics.median(taken), "contacts": JOBS * CONTACTS / seconds}


class Rows:
    """What the gateway has written, in commits of 1,000 contacts."""

    def __init__(self, database):
        numbers, self.columns, self.commits = {}, {}, [{table: [] for table in TABLES} for _ in range(JOBS)]
        for table, keys in TABLES.items():
            self.columns[table], rows = database.rows(table)
            place = {name: nth for nth, name in enumerate(self.columns[table])}
            customer = place["number" if table == "customers" else "customer"]
            rows.sort(key=lambda row: [row[place[key]] for key in keys])
            for row in rows:
                number = numbers.setdefault(row[customer], (row[customer] - 1) // CONTACTS)
                self.commits[number][table].append(row)


class SqliteSync(Sqlite):
    def rows(self, table):
        db = self.connect()
        found = db.execute("SELECT * FROM " + table)
        columns = [column[0] for column in found.description]
        rows = found.fetchall()
        db.close()
        return columns, rows

    def upsert(self, made):
        self.reset()
        db = self.connect()
        db.execute("PRAGMA synchronous = FULL")
        db.execute("PRAGMA wal_autocheckpoint = 16384")
        statements = {table: "INSERT INTO %s (%s) VALUES (%s) ON CONFLICT DO UPDATE SET %s" % (
            table, ",".join(columns), ",".join("?" * len(columns)),
            ",".join("%s = excluded.%s" % (name, name) for name in columns)) for table, columns in made.columns.items()}
        began = time.monotonic()
        for commit in made.commits:
            db.execute("BEGIN IMMEDIATE")
            for table, rows in commit.items():
                db.executemany(statements[table], rows)
            db.execute("COMMIT")
        seconds = time.monotonic() - began
        db.close()
        return seconds


class MariadbSync(Mariadb):
    def reset(self):
        for table in EMPTIED + ["account_heads", "sync_heads"]:
            self._copy(table)
        time.sleep(1)  # the server is still writing the pages

    def rows(self, table):
        columns = sql("SELECT column_name FROM information_schema.columns WHERE table_schema = '%s' AND table_name = '%s'"
                      " ORDER BY ordinal_position" % (self.schema, table)).split()
        quoted = ", ".join("QUOTE(`%s`)" % name for name in columns)
        statement = "SELECT CONCAT_WS(CHAR(9), %s) FROM %s" % (quoted, table)
        command, env = sql_command(self.schema)
        listed = subprocess.run(command + ["--raw", "-e", statement], env=env, stdout=subprocess.PIPE, text=True, check=True)

        def value(word):
            return int(word[1:-1]) if word[1:-1].isdigit() else word
        return columns, [[value(word) for word in line.split("\t")] for line in listed.stdout.splitlines()]

    def upsert(self, made):
        self.reset()
        texts = []
        for commit in made.commits:
            text = ["BEGIN"]
            for table, rows in commit.items():
                columns = made.columns[table]
                text.append("INSERT INTO %s (%s) VALUES %s ON DUPLICATE KEY UPDATE %s" % (
                    table, ",".join("`%s`" % name for name in columns),
                    ",".join("(%s)" % ",".join(map(str, row)) for row in rows),
                    ",".join("`%s` = VALUES(`%s`)" % (name, name) for name in columns)))
            text.append("COMMIT;\n")
            texts.append(";\n".join(text))
        file = self.program.folder / "upsert.sql"
        file.write_text("".join(texts))
        command, env = sql_command(self.schema)
        # How long the client takes to start is not counted.
        idle = _timed(command, env, subprocess.DEVNULL)
        with open(file) as text:
            return _timed(command + ["--max-allowed-packet=64M"], env, text) - idle


def _timed(command, env, text):
    began = time.monotonic()
    done = subprocess.run(command, stdin=text, env=env, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)
    if done.returncode != 0:
        raise Failed("mariadb: %s" % done.stderr)
    return time.monotonic() - began


def measure(binary, folder, engines, runs, say):
    """Rows of a table: by engine the medians of interleaved runs."""
    program = Program(binary, folder)
    world, made, table = Hotels(folder), bodies(), []
    for engine in engines:
        database = (SqliteSync if engine == "sqlite" else MariadbSync)(program, world)
        found = []
        for nth in range(runs):
            ours = gateway(database, made)
            rows = Rows(database)
            plain = JOBS * CONTACTS / database.upsert(rows)
            found.append((ours["taken"], ours["contacts"], plain, ours["contacts"] / plain))
            say("  sync %-7s run %d of %d: 201 in %.1f ms, %.0f contacts/s, plain upsert %.0f, ratio %.3f" % (
                database.name, nth + 1, runs, *found[-1]))
        taken, ours, plain, _ = (statistics.median(side) for side in zip(*found))
        ratios = [run[3] for run in found]
        table.append([database.name, "%.1f" % taken, "%.0f" % ours, "%.0f" % plain, "%.3f" % (ours / plain),
                      "%.3f..%.3f" % (min(ratios), max(ratios))])
    return table


HEAD = ["database", "ms to 201, 1,000 contacts", "contacts/s worked off", "contacts/s, plain upsert", "ratio",
        "ratio of single runs"]
