"""The loads, and what must hold after each of them."""
import json
import os
import re
import signal
import statistics
import subprocess
import time
from datetime import datetime
from pathlib import Path

from system import Cores, Failed, Server

HERE = Path(__file__).parent
LINES = {"W1": 1, "W2": 10, "W4": 1000, "lone": 1, "activity": 1, "balance": 1}
CONNECTIONS = {"W1": 64, "W2": 32, "W4": 4, "lone": 1, "activity": 64, "balance": 64}
FORM = "Content-Type: application/x-www-form-urlencoded"
BIG_POSTS = 10  # of the fairness run
STARTS = 9


def wrk(url, world, lines, connections, seconds, hot=False, kind="batch"):
    """The command of wrk, and its environment."""
    env = dict(os.environ, CUSTOMERS=str(world.customers), LINES=str(lines), HOT=str(int(hot)), KIND=kind)
    command = ["wrk", "-t1", "-c%d" % connections, "-d%ds" % seconds, "--timeout", "60s", "-s", str(HERE / "post.lua"), url]
    return command, env


def result(output):
    for line in output.splitlines():
        if line.startswith("RESULT "):
            return json.loads(line[7:])
    raise Failed("wrk has no result:\n%s" % output)


def run_wrk(*words, **more):
    command, env = wrk(*words, **more)
    return result(subprocess.run(command, env=env, check=True, stdout=subprocess.PIPE, text=True).stdout)


class Books:
    """What was answered, held against what is stored: it must be there, and all invariants must hold."""

    def __init__(self, database):
        self.database, self.answered = database, 0
        self.before = self._stored()

    def _stored(self):
        return self.database.ask("SELECT SUM(next_entry) FROM account_heads")[0]

    def check(self, verify=True):
        stored = self._stored() - self.before
        if stored < self.answered:
            raise Failed("%d lines were answered, %d are stored" % (self.answered, stored))
        if verify:
            self.database.program.run(self.database.url, "verify")


def post(database, name, seconds, warm=2, hot=False, reset=True, verify=True):
    """One run of W1, W2, W4, the lone client, single transactions or balances."""
    if reset:
        database.reset()
    books, lines, connections = Books(database), LINES[name], CONNECTIONS[name]
    kind = name if name in ("activity", "balance") else "batch"
    with Server.of(database) as server:
        warmed = run_wrk(server.url, database.world, lines, connections, warm, hot, kind)
        with Cores(server, database.pids) as cores:
            got = run_wrk(server.url, database.world, lines, connections, seconds, hot, kind)
        peak = server.rss("VmHWM")
    if warmed["errors"] + got["errors"]:
        raise Failed("%s: %d errors" % (name, warmed["errors"] + got["errors"]))
    books.answered = 0 if name == "balance" else (warmed["requests"] + got["requests"]) * lines
    books.check(verify)
    rate = got["requests"] / got["seconds"]
    return {"requests": rate, "lines": rate * lines, "p50": got["p50"], "p99": got["p99"], "max": got["max"],
            "rss": peak, "cores": cores.used}


def curl(url, body, answer):
    """Posts a file; seconds."""
    done = subprocess.run(["curl", "-sS", "-o", answer, "-w", "%{time_total}", "-H", "Expect:", "-H", FORM,
                           "--data-binary", "@%s" % body, url], check=True, stdout=subprocess.PIPE, text=True)
    return float(done.stdout)


def post_big(url, world, folder, count):
    """The POST of 100,000 lines; seconds."""
    answer = folder / "answer.xml"
    seconds = curl(url + "/api.php", world.big, answer)
    if "<transactions>%d</transactions>" % count not in answer.read_text():
        raise Failed("the big POST was answered: %s" % answer.read_text()[:500])
    return seconds


def big(database, lines):
    """W3: one POST of 100,000 lines to a server that has just started."""
    database.reset()
    books = Books(database)
    with Server.of(database) as server, Cores(server, database.pids) as cores:
        seconds = post_big(server.url, database.world, database.program.folder, lines)
        peak = server.rss("VmHWM")
    books.answered = lines
    books.check()
    return {"requests": 1 / seconds, "lines": lines / seconds, "p50": seconds * 1e3, "p99": None, "max": None,
            "rss": peak, "cores": cores.used}


def start_and_rest(database):
    """Time from the start to ready (median), and the memory of a server that rests after one POST."""
    database.reset()
    ready = []
    for _ in range(STARTS):
        with Server.of(database) as server:
            ready.append(server.ready_ms)
    with Server.of(database) as server:
        run_wrk(server.url, database.world, 1, 1, 1)
        time.sleep(2)
        rest = server.rss()
    return {"ready": statistics.median(ready), "rest": rest}


def steady(database, url, rate, seconds, beside=None, small_world=None):
    """One-line posts at a fixed rate, for so many seconds or as long as `beside` takes."""
    world = small_world or database.world
    command, env = wrk(url, world, 1, 256, seconds or 600)
    process = subprocess.Popen(command, env=dict(env, RATE=str(rate)), stdout=subprocess.PIPE, text=True)
    try:
        if beside:
            time.sleep(1)
            beside()
            process.send_signal(signal.SIGINT)
        return result(process.communicate()[0])
    finally:
        process.kill()


def fairness(database, rate, lines, small_world=None):
    """One-line posts at a fixed rate, alone and while ten big POSTs come one after the other."""
    database.reset()
    books, walls = Books(database), []

    def bigs():
        for _ in range(BIG_POSTS):
            walls.append(post_big(server.url, database.world, database.program.folder, lines))

    # The log tells how long the writing of each group took.
    with Server.of(database, "warn,punchcard::posting::writer=trace") as server:
        alone = steady(database, server.url, rate, 5, small_world=small_world)
        beside = steady(database, server.url, rate, None, bigs, small_world)
    books.answered = alone["requests"] + beside["requests"] + BIG_POSTS * lines
    books.check()
    return {"alone": alone, "beside": beside, "walls": walls, "rate": rate, "refused": beside["errors"],
            "write_ms": longest_group(database.program.folder / "serve.log")}


def longest_group(log):
    """The longest time between "group begins" and "group is answered" of a writer, in milliseconds."""
    longest, began = 0.0, {}
    with open(log) as lines:
        for line in lines:
            writer = re.search(r'writer="?(writer-\d+)', line)
            if "group begins" in line:
                began[writer.group(1)] = stamp(line)
            elif "group is answered" in line:
                longest = max(longest, (stamp(line) - began[writer.group(1)]).total_seconds() * 1e3)
    return longest


def stamp(line):
    return datetime.fromisoformat(line.split()[0].rstrip("Z"))
