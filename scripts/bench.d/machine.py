"""What the figures were measured on."""
import datetime
import os
import platform
import re
import subprocess


def first_line(*command):
    try:
        done = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    except OSError:
        return ""
    return done.stdout.strip().splitlines()[0] if done.stdout.strip() else ""


def found(pattern, text):
    match = re.search(pattern, text)
    return match.group(1).strip() if match else "?"


def facts(folder):
    cpu = found(r"model name\s*:(.*)", open("/proc/cpuinfo").read())
    memory = int(found(r"MemTotal:\s*(\d+)", open("/proc/meminfo").read())) / 1024**2
    system = found(r'PRETTY_NAME="(.*)"', open("/etc/os-release").read())
    disk = first_line("findmnt", "-n", "-o", "FSTYPE", "-T", str(folder))
    return ("%s. %s, %d cores, which the load generator and the database share; %.0f GB; %s; Linux %s, %s. MariaDB %s,"
            " libsqlite3-sys %s, sqlite3 %s, wrk %s, %s. Punchcard %s.\n" % (
                datetime.date.today().isoformat(), cpu, os.cpu_count(), memory, disk, platform.release().split("-")[0], system,
                found(r"Ver ([0-9.]+)", first_line("mariadbd", "--version")),
                found(r'name = "libsqlite3-sys"\nversion = "(.*)"', open("Cargo.lock").read()),
                first_line("sqlite3", "--version").split(" ")[0],
                found(r"wrk ([^ ]+)", first_line("wrk", "-v")), first_line("rustc", "--version"),
                first_line("git", "describe", "--always", "--dirty")))
