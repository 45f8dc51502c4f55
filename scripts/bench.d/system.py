"""The system under load: a program, a database with a world, a server, and what processes take."""
import os
import re
import shutil
import signal
import sqlite3
import subprocess
import time
from urllib.parse import unquote, urlsplit

TICKS = os.sysconf("SC_CLK_TCK")
# What postings change: put back before each run. Customers stay as they are.
MOVED = ["journal", "balances", "batches", "entry_dates", "account_heads", "commits", "rejections", "reversals"]


class Failed(Exception):
    """What was measured does not count: something that must hold did not."""


class Program:
    """A punchcard to be measured."""

    def __init__(self, binary, folder):
        self.binary, self.folder = binary, folder
        folder.mkdir(parents=True, exist_ok=True)
        clean = {name: value for name, value in os.environ.items() if not name.startswith("PUNCHCARD_")}
        self.env = dict(clean, PUNCHCARD_KEY_FILE=str(folder / "bench.key"))

    def run(self, url, *words):
        done = subprocess.run([self.binary, *words], env=dict(self.env, PUNCHCARD_DATABASE_URL=url),
                              stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
        if done.returncode != 0:
            raise Failed("punchcard %s: %s" % (" ".join(map(str, words)), done.stdout[:300] + " ... " + done.stdout[-300:]))
        return done.stdout


class Sqlite:
    """A database file with a world, and a copy of it for each run."""

    name, pids = "SQLite", ()

    def __init__(self, program, world):
        self.program, self.world = program, world
        self.template = program.folder / ("world%d.db" % world.accounts)
        self.file = program.folder / ("live%d.db" % world.accounts)
        self.url = "sqlite:%s" % self.file
        program.run("sqlite:%s" % self.template, "apply", world.file)

    def reset(self):
        for ending in ("", "-wal", "-shm"):
            path = self.file.with_name(self.file.name + ending)
            path.unlink(missing_ok=True)
        shutil.copyfile(self.template, self.file)
        with open(self.file, "rb") as copy:
            os.fsync(copy.fileno())

    def drop(self):
        for path in (self.template, self.file):
            path.unlink()

    def connect(self):
        return sqlite3.connect(self.file, isolation_level=None)

    def script(self, statements):
        """Runs statements of ours, without any flush."""
        db = self.connect()
        db.execute("PRAGMA synchronous = OFF")
        for statement in statements:
            db.execute(statement)
        db.close()

    def ask(self, statement):
        db = self.connect()
        row = db.execute(statement).fetchone()
        db.close()
        return row


class Mariadb:
    """Two schemas on the private server: a world, and what each run works on."""

    name = "MariaDB"

    def __init__(self, program, world):
        self.program, self.world = program, world
        self.pids = (int(os.environ["PUNCHCARD_TEST_MYSQL_PID"]),)
        tag = re.sub(r"\W", "_", program.folder.name)
        self.template, self.schema = ("punchcard_%s_%s%d" % (what, tag, world.accounts) for what in ("world", "live"))
        base = os.environ["PUNCHCARD_TEST_MYSQL_APP_URL"]
        self.url = base + self.schema
        for schema in (self.template, self.schema):
            sql("CREATE DATABASE %s" % schema)
            program.run(base + schema, "migrate")
        program.run(base + self.template, "apply", world.file)
        for table in sql("SHOW TABLES", self.schema).split():
            self._copy(table)

    def _copy(self, table):
        sql("TRUNCATE %s; INSERT INTO %s SELECT * FROM %s.%s" % (table, table, self.template, table), self.schema)

    def reset(self):
        for table in MOVED:
            self._copy(table)
        time.sleep(1)  # the server is still writing the pages

    def drop(self):
        sql("DROP DATABASE %s; DROP DATABASE %s" % (self.template, self.schema))

    def script(self, statements):
        sql(";\n".join(statements), self.schema)

    def ask(self, statement):
        return [None if word == "NULL" else int(word) for word in sql(statement, self.schema).split()]


def sql_command(schema=""):
    """The client of the private MariaDB, and its environment."""
    env = dict(os.environ, MYSQL_PWD=unquote(urlsplit(os.environ["PUNCHCARD_TEST_MYSQL_URL"]).password))
    socket = os.environ["PUNCHCARD_TEST_MYSQL_SOCKET"]
    return ["mariadb", "--no-defaults", "--local-infile=1", "-uroot", "-S", socket, "-N", "-B", schema], env


def sql(text, schema=""):
    command, env = sql_command(schema)
    done = subprocess.run(command, input=text, env=env, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    if done.returncode != 0:
        raise Failed("mariadb: %s" % done.stderr)
    return done.stdout


class Server:
    """A running `punchcard serve`, or another program that prints where it listens."""

    def __init__(self, command, env, log):
        began = time.monotonic()
        self.log = open(log, "w")
        self.process = subprocess.Popen(command, env=env, stdout=subprocess.PIPE, stderr=self.log, text=True)
        said = self.process.stdout.readline()
        self.ready_ms = (time.monotonic() - began) * 1e3
        if not said.startswith("listening on "):
            self.process.wait()
            raise Failed("the server did not start; see %s" % log)
        self.url = said.split()[-1]

    @classmethod
    def of(cls, database, log_filter="warn"):
        program = database.program
        env = dict(program.env, PUNCHCARD_DATABASE_URL=database.url, PUNCHCARD_LISTEN="127.0.0.1:0", PUNCHCARD_LOG=log_filter)
        return cls([program.binary, "serve"], env, program.folder / "serve.log")

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.process.send_signal(signal.SIGTERM)
        self.process.wait()
        self.log.close()

    @property
    def pid(self):
        return self.process.pid

    def rss(self, which="VmRSS"):
        """Resident megabytes: now, or (VmHWM) at most since the start."""
        with open("/proc/%d/status" % self.pid) as status:
            return next(int(line.split()[1]) for line in status if line.startswith(which)) / 1024


class Cores:
    """How many cores server, database and load generator take while something runs."""

    def __init__(self, server, database_pids):
        self.pids = {"server": [server.pid], "database": list(database_pids)}

    def __enter__(self):
        self.began, self.spent, self.load = time.monotonic(), self._spent(), self._load()
        return self

    def __exit__(self, *_):
        wall = time.monotonic() - self.began
        self.used = {name: (now - self.spent[name]) / wall for name, now in self._spent().items()}
        self.used["load"] = (self._load() - self.load) / wall

    def _spent(self):
        return {name: sum(map(cpu_seconds, pids)) for name, pids in self.pids.items()}

    @staticmethod
    def _load():
        times = os.times()
        return times.children_user + times.children_system


def cpu_seconds(pid):
    with open("/proc/%d/stat" % pid) as stat:
        fields = stat.read().rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / TICKS
