"""How fast sales v4 is: arrays of 1,000 sales, against a plain multi-row upsert of the same rows.

The yardstick writes what the gateway has written for those sales, read from its own tables, as that of `sync_data` does:
sorted by key, with one commit for each 1,000 sales, into a database with the same customers, and durable. The gateway
besides reads and checks each sale, finds its customer by an e-mail address and its order, and answers with every sale."""
import http.client
import json
import socket
import statistics
import threading
import time
from urllib.parse import urlsplit

from sync import MariadbSync, SqliteSync
from system import Failed, Program, Server

ARRAYS, SALES, CLIENTS = 20, 1000, 4
# What the gateway writes for a sale, with the columns of each key, and the column that tells the commit.
STORED = {"sales": (("number",), "number"), "sale_keys": (("brand", "kind", "value", "sale"), "sale")}
EARNED = {"journal": (("number",), "number"), "balances": (("customer", "campaign", "item"), "last_entry")}
EMPTIED = [*STORED, *EARNED, "entry_dates", "commits", "rejections", "reversals", "idempotency", "account_heads"]
BRANDS = {"no points": STORED, "with points": {**STORED, **EARNED}}


class Shop:
    """A world with one account, two brands, and a customer for each sale."""

    accounts = 1

    def __init__(self, folder):
        self.file = folder / "shop.toml"
        text = ['[[account]]\nid = "shop"\nname = "Shop"\ncurrency = "EUR"\ntimezone = "UTC"\ncountry = "ES"',
                '[[account.campaign]]\nid = "P"\ntype = "points"\nname = "Points"\npoints_ratio = "1"']
        for brand in BRANDS:
            campaign = 'campaign = "P"' if BRANDS[brand] is not STORED else ""
            text.append('[[account.brand]]\nid = "%s"\ntoken = "bench token %s"\n%s' % (brand, brand, campaign))
        text += ['[[account.customer]]\ncode = "c%d"\nemail = "guest.%d@example.com"' % (n, n) for n in range(ARRAYS * SALES)]
        self.file.write_text("\n".join(text) + "\n")


def bodies():
    """Each sale is of another customer and another order."""
    def sale(n):
        return {"match_key": {"email": "guest.%d@example.com" % n}, "event_time": "2019-07-13 12:34:%02d" % (n % 60),
                "order_id": "order-%d" % n, "external_sale_id": "sale-%d" % n, "value": n % 500 + 0.5}
    return [json.dumps([sale(array * SALES + n) for n in range(SALES)]) for array in range(ARRAYS)]


def send(url, brand, made, status):
    """All arrays, by several clients; sales a second."""
    waiting, faults = list(made), []

    def client():
        connection = http.client.HTTPConnection(urlsplit(url).netloc)
        connection.connect()
        connection.sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        while True:
            try:
                body = waiting.pop(0)
            except IndexError:
                return
            headers = {"Authorization": "Bearer bench token " + brand, "Content-Type": "application/json"}
            connection.request("POST", "/api/v4/sales", body, headers)
            answer = connection.getresponse()
            text = answer.read()
            if answer.status != 200 or text.count(b'"status":"%s"' % status) != SALES:
                faults.append("sales were answered with %d: %s" % (answer.status, text[:500]))

    clients = [threading.Thread(target=client) for _ in range(CLIENTS)]
    began = time.monotonic()
    for one in clients:
        one.start()
    for one in clients:
        one.join()
    seconds = time.monotonic() - began
    if faults:
        raise Failed(faults[0])
    return ARRAYS * SALES / seconds


def gateway(database, brand, made):
    """Sales a second, when they are new and when they are sent once more."""
    database.reset()
    with Server.of(database) as server:
        new = send(server.url, brand, made, b"created")
        again = send(server.url, brand, made, b"updated")
    database.program.run(database.url, "verify")
    return new, again


class Rows:
    """What the gateway has written, in commits of 1,000 sales."""

    def __init__(self, database, tables):
        self.columns, self.commits = {}, [{table: [] for table in tables} for _ in range(ARRAYS)]
        for table, (keys, tells) in tables.items():
            self.columns[table], rows = database.rows(table)
            place = {name: nth for nth, name in enumerate(self.columns[table])}
            rows.sort(key=lambda row: [row[place[key]] for key in keys])
            for row in rows:
                self.commits[(row[place[tells]] - 1) // SALES][table].append(row)


class MariadbSales(MariadbSync):
    def reset(self):
        for table in EMPTIED:
            self._copy(table)
        time.sleep(1)  # the server is still writing the pages


def measure(binary, folder, engines, runs, say):
    """Rows of a table: by engine and brand the medians of interleaved runs."""
    program = Program(binary, folder)
    world, made, table = Shop(folder), bodies(), []
    for engine in engines:
        database = (SqliteSync if engine == "sqlite" else MariadbSales)(program, world)
        for brand, tables in BRANDS.items():
            found = []
            for nth in range(runs):
                new, again = gateway(database, brand, made)
                plain = ARRAYS * SALES / database.upsert(Rows(database, tables))
                found.append((new, plain, new / plain, again))
                say("  sales, %-11s %-7s run %d of %d: %.0f sales/s, plain upsert %.0f, ratio %.3f, again %.0f" % (
                    brand, database.name, nth + 1, runs, *found[-1]))
            new, plain, _, again = (statistics.median(side) for side in zip(*found))
            ratios = [run[2] for run in found]
            table.append([database.name, brand, "%.0f" % new, "%.0f" % plain, "%.3f" % (new / plain),
                          "%.3f..%.3f" % (min(ratios), max(ratios)), "%.0f" % again])
    return table


HEAD = ["database", "brand", "sales/s", "sales/s, plain upsert", "ratio", "ratio of single runs", "sales/s sent again"]
