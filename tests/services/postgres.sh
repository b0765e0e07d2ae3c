# shellcheck shell=bash
# A private PostgreSQL for one run: its own data directory, its own port on loopback, its own password. Sourced by tests/run,
# which sets `work`.

postgres_data=""

# The directory of the newest server that is installed. Debian keeps server programs out of PATH.
postgres_programs() {
  local newest
  newest=$(find /usr/lib/postgresql -mindepth 3 -maxdepth 3 -path '*/bin/initdb' 2>/dev/null | sort -V | tail -n 1)
  if [[ -n $newest ]]; then
    dirname "$newest"
  elif command -v initdb >/dev/null; then
    dirname "$(command -v initdb)"
  else
    return 1
  fi
}

# Notes the server as missing when it is. Debian's package would also create and start a server of its own, which nobody here
# asked for; this setting, which it reads while it is installed, leaves that out.
postgres_need() {
  if postgres_programs >/dev/null; then
    return
  fi
  if [[ ! -e /etc/postgresql-common/createcluster.conf ]]; then
    as_root mkdir -p /etc/postgresql-common
    echo "create_main_cluster = false" | as_root tee /etc/postgresql-common/createcluster.conf >/dev/null
  fi
  debian_missing+=(postgresql)
}

# PostgreSQL refuses to run as root.
postgres_as_owner() {
  if [[ $(id -u) -eq 0 ]]; then
    (cd / && runuser -u postgres -- "$@")
  else
    "$@"
  fi
}

# A port on loopback that nothing listens on, below those that Linux gives to connections: a server that is started again finds its
# own still free.
free_port() {
  local port
  while true; do
    port=$((RANDOM % 12000 + 20000))
    if ! (: </dev/tcp/127.0.0.1/"$port") 2>/dev/null; then
      echo "$port"
      return
    fi
  done
}

# Starts the server and exports its address for the suites. Names sort by bytes (`C`), as they do in production. Durability is off because
# the data lives as long as the run.
postgres_start() {
  local programs port password
  programs=$(postgres_programs) || {
    echo "PostgreSQL is not installed and could not be" >&2
    return 1
  }
  password=$(od -An -N16 -tx1 /dev/urandom | tr -d ' \n')
  postgres_data="$work/postgres/data"
  mkdir -p "$work/postgres"
  (umask 077 && echo "$password" >"$work/postgres/password")
  if [[ $(id -u) -eq 0 ]]; then
    chown -R postgres "$work/postgres"
  fi
  postgres_as_owner "$programs/initdb" --pgdata="$postgres_data" --username=slipway --pwfile="$work/postgres/password" \
    --auth=scram-sha-256 --encoding=UTF8 --locale=C --no-sync >"$work/initdb.log" 2>&1 || {
    cat "$work/initdb.log" >&2
    return 1
  }
  # Another process may take the port between the look and the bind, so a few ports are tried.
  for _ in 1 2 3 4 5; do
    port=$(free_port)
    if postgres_as_owner "$programs/pg_ctl" start --pgdata="$postgres_data" --wait --timeout=60 --silent \
      --log="$work/postgres/log" --options="-p $port -c listen_addresses=127.0.0.1 -c unix_socket_directories='' \
        -c fsync=off -c synchronous_commit=off -c full_page_writes=off -c max_connections=200"; then
      export SLIPWAY_TEST_DATABASE="postgres://slipway:$password@127.0.0.1:$port/postgres"
      echo "PostgreSQL listens on 127.0.0.1:$port"
      return
    fi
  done
  tail -n 20 "$work/postgres/log" >&2
  return 1
}

# Stops the server that postgres_start started, if it runs.
postgres_stop() {
  if [[ -n $postgres_data && -e $postgres_data/postmaster.pid ]]; then
    postgres_as_owner "$(postgres_programs)/pg_ctl" stop --pgdata="$postgres_data" --mode=immediate --silent || true
  fi
}
