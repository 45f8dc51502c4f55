"""What scripts/bench runs: the parts in their order, interleaved, and the tables."""
import os
import signal
import statistics
import sys
from pathlib import Path

import loads
import machine
import sales
import sync
from fill import fill
from limits import measure
from system import Failed, Mariadb, Program, Sqlite
from world import BIG, World

E = os.environ
ENGINES = E.get("ENGINES", "sqlite mariadb").split()
ACCOUNTS = [int(word) for word in E.get("ACCOUNTS", "1 8").split()]
RUNS, SECONDS, PAIRS = int(E.get("RUNS", 3)), int(E.get("SECONDS_EACH", 5)), int(E.get("PAIRS", 9))
ENTRIES = int(E.get("ENTRIES", 10_000_000))
FOLDER = Path(E["BENCH_FOLDER"])
LOADS = ["lone", "W1", "W2", "W4", "W3", "activity", "balance"]
PARTS = LOADS + ["start", "hot", "fairness", "growth", "limits", "sync", "sales"]
WHAT = {"lone": "lone: 1 line, 1 client", "W1": "W1: 1 line, 64 clients", "W2": "W2: 10 lines, 32 clients",
        "W4": "W4: 1,000 lines, 4 clients", "W3": "W3: one POST of 100,000 lines",
        "activity": "activity: record_activity, 64 clients", "balance": "balance: customer_balance, 64 clients"}


def say(text):
    print(text, file=sys.stderr, flush=True)


def databases(program):
    """A database for each engine and world, by engine's word and number of accounts."""
    made = {}
    for accounts in ACCOUNTS:
        world = World(program.folder, accounts)
        for engine in ENGINES:
            say("making %s with %d account(s)" % (engine, accounts))
            made[engine, accounts] = (Sqlite if engine == "sqlite" else Mariadb)(program, world)
    return made


def one_run(database, load, seconds=SECONDS, **more):
    run = loads.big(database, BIG) if load == "W3" else loads.post(database, load, seconds, **more)
    say("  %-4s %-7s %d account(s) %10.0f lines/s" % (load, database.name, database.world.accounts, run["lines"]))
    return run


def middle(runs, field):
    values = [run[field] for run in runs if run[field] is not None]
    return statistics.median(values) if values else None


def table(head, rows):
    print("| %s |" % " | ".join(head))
    figures = [all(row[nth][:1] in "-0123456789" for row in rows) for nth in range(len(head))]
    print("| %s |" % " | ".join("---:" if figure else "---" for figure in figures))
    for row in rows:
        print("| %s |" % " | ".join(row))
    print(flush=True)


def number(value):
    if value is None:
        return "-"
    return "{:,.0f}".format(value) if value >= 100 else "%.2f" % value


def show_loads(found):
    rows = []
    for (load, database), runs in found.items():
        cores = {name: statistics.median(run["cores"][name] for run in runs) for name in ("load", "server", "database")}
        lines = [run["lines"] for run in runs]
        rows.append([WHAT[load], database.name, str(database.world.accounts), number(middle(runs, "requests")),
                     number(middle(runs, "lines")), "%s..%s" % (number(min(lines)), number(max(lines))),
                     number(middle(runs, "p50")), number(middle(runs, "p99")), "%.0f" % max(run["rss"] for run in runs),
                     "%(load).2f / %(server).2f / %(database).2f" % cores])
    table(["load", "database", "accounts", "requests/s", "lines/s", "min..max", "p50 ms", "p99 ms", "peak MB",
           "cores: load / server / database"], rows)


def pairs(name, first, second, count):
    """Interleaved pairs; gives a row: medians of lines a second, their ratio, and how far single pairs lie apart."""
    runs = []
    for nth in range(count):
        # Who begins changes, so that neither has the quieter half.
        order = (first, second) if nth % 2 == 0 else (second, first)
        one = {work: work()["lines"] for work in order}
        runs.append((one[first], one[second]))
        say("  %s: pair %d of %d, ratio %.3f" % (name, nth + 1, count, runs[-1][1] / runs[-1][0]))
    before, after = (statistics.median(side) for side in zip(*runs))
    ratios = [b / a for a, b in runs]
    return [number(before), number(after), "%.3f" % (after / before), "%.3f..%.3f" % (min(ratios), max(ratios))]


def hot(made):
    rows = []
    for engine in ENGINES:
        database = made[engine, ACCOUNTS[0]]
        rows.append(["one hot balance: W1 spread, W1 hot", database.name, str(ACCOUNTS[0]),
                     *pairs("hot", lambda: one_run(database, "W1", 3, warm=1),
                            lambda: one_run(database, "W1", 3, warm=1, hot=True), PAIRS)])
    return rows


def growth(program, made):
    rows = []
    for engine in ENGINES:
        small = made[engine, 1]
        grown = type(small)(Program(program.binary, program.folder / "grown"), small.world)
        grown.reset()
        say("writing %d entries into %s" % (ENTRIES, engine))
        fill(grown, ENTRIES)
        for load in ("W1", "W4"):
            rows.append(["growth, %s: empty, %s entries" % (load, number(ENTRIES)), small.name, "1",
                         *pairs("growth", lambda: one_run(small, load, 3, warm=1),
                                lambda: one_run(grown, load, 3, warm=1, reset=False, verify=False), PAIRS)])
        grown.program.run(grown.url, "verify")
        grown.drop()
    return rows


def show_fairness(made):
    rows = []
    for (engine, accounts), database in made.items():
        if accounts > 1 and engine == "sqlite":
            continue  # one writer: accounts make no difference
        rate = one_run(database, "W1", 3)["requests"] / 2
        others = database.world.others() if accounts > 1 else None
        got = loads.fairness(database, rate, BIG, others)
        alone, beside = got["alone"], got["beside"]
        rows.append([database.name, "other accounts" if others else "same account", number(rate),
                     number(beside["requests"] / beside["seconds"]), number(alone["p99"]), number(beside["p99"]),
                     number(beside["max"]), number(max(got["walls"]) * 1e3), number(got["write_ms"]) if not others else "-",
                     str(got["refused"])])
    table(["database", "small posts on", "offered/s", "answered/s beside", "p99 alone ms", "p99 beside ms",
           "longest wait ms", "longest big POST ms", "its longest write phase ms", "refused"], rows)


def show_start(made):
    rows = []
    for (engine, accounts), database in made.items():
        got = loads.start_and_rest(database)
        rows.append([database.name, str(accounts), "%.0f" % got["ready"], "%.0f" % got["rest"]])
    table(["database", "accounts", "start to ready, ms", "MB at rest, 100,000 customers"], rows)


def show_limits(program, made):
    found = {}
    for _ in range(RUNS):
        for name, (unit, rate) in measure(program, [made[engine, 1] for engine in ENGINES], 3).items():
            found.setdefault((name, unit), []).append(rate)
            say("  %-70s %12.0f %s" % (name, rate, unit))
    table(["limit", "unit", "median", "min..max"],
          [[name, unit, number(statistics.median(rates)), "%s..%s" % (number(min(rates)), number(max(rates)))]
           for (name, unit), rates in found.items()])


def everything(parts):
    program = Program(E["BENCH_PROGRAM"], FOLDER / "own")
    made = databases(program) if set(parts) - {"sync", "sales"} else {}
    print(machine.facts(FOLDER), flush=True)
    found = {}
    for nth in range(RUNS):
        for load in [load for load in LOADS if load in parts]:
            for (engine, accounts), database in made.items():
                if load in ("W1", "W2", "W4") or accounts == ACCOUNTS[0]:
                    found.setdefault((load, database), []).append(one_run(database, load))
    if found:
        show_loads(found)
    if "start" in parts:
        show_start(made)
    compared = (hot(made) if "hot" in parts else []) + (growth(program, made) if "growth" in parts else [])
    if compared:
        table(["what", "database", "accounts", "lines/s, first", "lines/s, second", "ratio", "ratio of single pairs"], compared)
    if "fairness" in parts:
        show_fairness(made)
    if "limits" in parts:
        show_limits(program, made)
    if "sync" in parts:
        table(sync.HEAD, sync.measure(program.binary, FOLDER / "sync", ENGINES, RUNS, say))
    if "sales" in parts:
        table(sales.HEAD, sales.measure(program.binary, FOLDER / "sales", ENGINES, RUNS, say))
    print("After every run all that was answered was stored, and `punchcard verify` held (beside many entries: at the end).")


def compare(old, new, parts):
    sides = [databases(Program(binary, FOLDER / name)) for name, binary in (("old", old), ("new", new))]
    print(machine.facts(FOLDER), flush=True)
    rows = []
    for load in parts:
        for key, before in sides[0].items():
            after = sides[1][key]
            rows.append([WHAT[load], before.name, str(key[1]), *pairs(
                load, lambda: one_run(before, load, 3, warm=1), lambda: one_run(after, load, 3, warm=1), PAIRS)])
    table(["load", "database", "accounts", "lines/s, old", "lines/s, new", "ratio", "ratio of single pairs"], rows)


def main(words):
    # An end that is asked for still stops what was started.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    try:
        if words and words[0] == "compare":
            compare(words[1], words[2], words[3:] or ["W1", "W2", "W4", "W3"])
        else:
            everything(words or PARTS)
    except Failed as failed:
        sys.exit("FAILED: %s" % failed)


main(sys.argv[1:])
