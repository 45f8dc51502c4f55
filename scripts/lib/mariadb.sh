#!/usr/bin/env bash
# A MariaDB server of one's own, for tests: in a temporary directory, on a free port of 127.0.0.1, gone at the end.
# It touches no server, data directory or configuration file of the machine.
#
# From another script:
#     source scripts/lib/mariadb.sh
#     trap mariadb_stop EXIT
#     mariadb_start [--durable] [--binlog] [--large]
# By hand, for as long as one command runs:
#     scripts/lib/mariadb.sh [--durable] [--binlog] [--large] COMMAND [ARGUMENT...]
#
# --durable  what a production server needs: each commit synced (innodb_flush_log_at_trx_commit=1), the
#            data on disk. Without it nothing is synced and the data lies in memory where there is room: fast, and
#            enough for every test that does not cut the power.
# --binlog   with the binary log, as a server has that replicates or is backed up by it.
# --large    with the memory and the log of a server that is there for its databases alone: 2 GiB and 1 GiB.
#
# Exported once it runs:
#   PUNCHCARD_TEST_MYSQL_URL      mysql://root:PASSWORD@127.0.0.1:PORT/   may do everything; a database name is to follow
#   PUNCHCARD_TEST_MYSQL_APP_URL  mysql://punchcard:PASSWORD@127.0.0.1:PORT/   may do everything in databases whose name
#                                 begins with punchcard_, and nothing else; its password needs percent-encoding
#   PUNCHCARD_TEST_MYSQL_SOCKET   the server's socket
#   PUNCHCARD_TEST_MYSQL_PID      the server's process

mariadb_dir=
mariadb_pid=

# Where the data goes: memory if it has a gigabyte to spare (containers often have 64 MB), else the temporary directory.
mariadb_parent() {
    local free TMPDIR=${TMPDIR:-/tmp}
    if [ "$1" = memory ] && [ -d /dev/shm ] && [ -w /dev/shm ]; then
        free=$(df --output=avail -k /dev/shm 2>/dev/null | tail -n 1)
        if [ "${free:-0}" -gt 1048576 ]; then
            echo /dev/shm
            return
        fi
    fi
    # The path of a socket is at most 107 bytes.
    if [ "${#TMPDIR}" -gt 70 ]; then echo /tmp; else echo "$TMPDIR"; fi
}

mariadb_free_port() {
    python3 -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])'
}

mariadb_say_log() {
    echo "mariadb: $1" >&2
    [ -f "$mariadb_dir/server.log" ] && tail -n 20 "$mariadb_dir/server.log" >&2
    return 1
}

# Runs one SQL text as root, over the socket.
mariadb_sql() {
    MYSQL_PWD="${mariadb_password:-}" mariadb --no-defaults --user=root --socket="$mariadb_dir/socket" --batch \
        --skip-column-names --execute="$1"
}

mariadb_start() {
    local flush=0 place=memory doublewrite=0 binlog=--skip-log-bin pool=256M log=96M port deadline attempt app_password option
    for option in "$@"; do
        case $option in
            --durable) flush=1 place=disk doublewrite=1 ;;
            --binlog) binlog=--log-bin=binlog ;;
            --large) pool=2G log=1G ;;
            *) echo "mariadb: unknown option $option" >&2; return 1 ;;
        esac
    done
    # Debian keeps servers where the path of ordinary users does not lead.
    PATH="$PATH:/usr/sbin:/sbin"
    for tool in mariadbd mariadb-install-db mariadb python3; do
        command -v "$tool" >/dev/null || { echo "mariadb: $tool is not installed" >&2; return 1; }
    done
    mariadb_dir=$(mktemp -d "$(mariadb_parent "$place")/punchcard-mariadb.XXXXXX") || return 1
    # As root the server refuses to run unless told to; as anybody else it runs as oneself.
    local me
    me=$(id -un)
    local -a common=(--no-defaults "--user=$me" "--datadir=$mariadb_dir/data" "--tmpdir=$mariadb_dir")
    mariadb-install-db "${common[@]}" --auth-root-authentication-method=normal --skip-test-db --skip-log-bin \
        >"$mariadb_dir/server.log" 2>&1 || { mariadb_say_log "the data directory could not be made"; return 1; }

    # The port is free only until somebody else takes it, hence several attempts.
    for attempt in 1 2 3 4 5; do
        port=$(mariadb_free_port)
        # A server that outlives its script would keep the memory: it dies with its parent where that can be asked for.
        local -a guard=()
        if setpriv --pdeathsig KILL true 2>/dev/null; then guard=(setpriv --pdeathsig KILL); fi
        "${guard[@]}" mariadbd "${common[@]}" \
            --bind-address=127.0.0.1 "--port=$port" "--socket=$mariadb_dir/socket" "--pid-file=$mariadb_dir/pid" \
            "$binlog" --skip-name-resolve --max-connections=500 --performance-schema=OFF \
            --character-set-server=utf8mb4 --collation-server=utf8mb4_bin \
            "--innodb-buffer-pool-size=$pool" "--innodb-log-file-size=$log" "--innodb-flush-log-at-trx-commit=$flush" \
            "--innodb-doublewrite=$doublewrite" >>"$mariadb_dir/server.log" 2>&1 </dev/null &
        mariadb_pid=$!
        deadline=$((SECONDS + 60))
        while kill -0 "$mariadb_pid" 2>/dev/null && [ "$SECONDS" -lt "$deadline" ]; do
            if mariadb_sql 'SELECT 1' >/dev/null 2>&1; then break 2; fi
            sleep 0.1
        done
        kill -0 "$mariadb_pid" 2>/dev/null && { mariadb_say_log "the server does not answer"; return 1; }
        mariadb_pid=
        [ "$attempt" -lt 5 ] || { mariadb_say_log "the server does not start"; return 1; }
    done

    local root_password
    root_password=$(python3 -c 'import secrets; print(secrets.token_hex(12))')
    # With every mark that a URL has a use for, so that the tests see whether it is decoded.
    app_password="p@ss:/?,%$root_password"
    mariadb_sql "
        CREATE OR REPLACE USER 'root'@'127.0.0.1' IDENTIFIED BY '$root_password';
        GRANT ALL ON *.* TO 'root'@'127.0.0.1' WITH GRANT OPTION;
        CREATE OR REPLACE USER 'punchcard'@'127.0.0.1' IDENTIFIED BY '$app_password';
        GRANT ALL ON \`punchcard\\_%\`.* TO 'punchcard'@'127.0.0.1';
        ALTER USER 'root'@'localhost' IDENTIFIED BY '$root_password';" ||
        { mariadb_say_log "the users could not be made"; return 1; }
    mariadb_password=$root_password
    export PUNCHCARD_TEST_MYSQL_URL="mysql://root:$root_password@127.0.0.1:$port/"
    export PUNCHCARD_TEST_MYSQL_APP_URL="mysql://punchcard:p%40ss%3A%2F%3F%2C%25$root_password@127.0.0.1:$port/"
    export PUNCHCARD_TEST_MYSQL_SOCKET="$mariadb_dir/socket"
    export PUNCHCARD_TEST_MYSQL_PID="$mariadb_pid"
}

# Ends the server and removes its data. Does nothing if there is none, so that it can stand in a trap.
mariadb_stop() {
    if [ -n "$mariadb_pid" ]; then
        # Nothing of it is kept, so that it need not put its data in order first.
        kill -KILL "$mariadb_pid" 2>/dev/null || true
        wait "$mariadb_pid" 2>/dev/null || true
        mariadb_pid=
    fi
    if [ -n "$mariadb_dir" ]; then
        rm -rf "$mariadb_dir"
        mariadb_dir=
    fi
    mariadb_password=
    unset PUNCHCARD_TEST_MYSQL_URL PUNCHCARD_TEST_MYSQL_APP_URL PUNCHCARD_TEST_MYSQL_SOCKET PUNCHCARD_TEST_MYSQL_PID
}

# Called, not sourced: one command beside a server.
if [ "${BASH_SOURCE[0]}" = "$0" ]; then
    set -euo pipefail
    options=()
    while [ "${1:-}" = --durable ] || [ "${1:-}" = --binlog ] || [ "${1:-}" = --large ]; do
        options+=("$1")
        shift
    done
    if [ $# -eq 0 ]; then
        echo "usage: scripts/lib/mariadb.sh [--durable] [--binlog] [--large] COMMAND [ARGUMENT...]" >&2
        exit 2
    fi
    trap mariadb_stop EXIT
    trap 'exit 130' INT
    trap 'exit 143' TERM
    mariadb_start "${options[@]}"
    "$@"
fi
