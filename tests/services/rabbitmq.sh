# shellcheck shell=bash
# A private RabbitMQ for one run: its own node with its own data, ports on loopback, password and port mapper. Sourced by tests/run,
# which sets `work`, after postgres.sh, which has `free_port`.

rabbitmq_home=""
rabbitmq_node=""
rabbitmq_epmd=""
rabbitmq_is_new=""

# The directory of the server's programs. Debian's wrappers in PATH switch to a user and a directory of their own.
rabbitmq_programs() {
  local newest
  newest=$(find /usr/lib/rabbitmq/lib -mindepth 3 -maxdepth 3 -path '*/sbin/rabbitmq-server' 2>/dev/null | sort -V | tail -n 1)
  if [[ -n $newest ]]; then
    dirname "$newest"
  elif command -v rabbitmq-server >/dev/null; then
    dirname "$(readlink -f "$(command -v rabbitmq-server)")"
  else
    return 1
  fi
}

# Notes the server as missing when it is.
rabbitmq_need() {
  if ! rabbitmq_programs >/dev/null; then
    debian_missing+=(rabbitmq-server)
    rabbitmq_is_new=1
  fi
}

# Keeps the service of a package that was installed for us from starting with the machine.
rabbitmq_tame() {
  if [[ -n $rabbitmq_is_new ]] && command -v systemctl >/dev/null; then
    as_root systemctl disable --quiet rabbitmq-server 2>/dev/null || true
  fi
}

# Becomes a program of the server, as the private node or as one that talks to it.
rabbitmq_become() {
  exec env HOME="$rabbitmq_home" ERL_CRASH_DUMP="$rabbitmq_home/erl_crash.dump" \
    ERL_EPMD_ADDRESS=127.0.0.1 ERL_EPMD_PORT="$rabbitmq_epmd_port" \
    RABBITMQ_NODENAME="slipway-$$@localhost" \
    RABBITMQ_DIST_PORT="$rabbitmq_dist_port" \
    RABBITMQ_SERVER_ADDITIONAL_ERL_ARGS="-kernel inet_dist_use_interface {127,0,0,1}" \
    RABBITMQ_BASE="$rabbitmq_home" \
    RABBITMQ_CONF_ENV_FILE=/dev/null \
    RABBITMQ_CONFIG_FILE="$rabbitmq_home/rabbitmq.conf" \
    RABBITMQ_ADVANCED_CONFIG_FILE=/dev/null \
    RABBITMQ_ENABLED_PLUGINS_FILE="$rabbitmq_home/enabled_plugins" \
    RABBITMQ_MNESIA_BASE="$rabbitmq_home/mnesia" \
    RABBITMQ_LOG_BASE="$rabbitmq_home/log" \
    RABBITMQ_PID_FILE="$rabbitmq_home/pid" \
    "$(rabbitmq_programs)/$1" "${@:2}"
}

# Writes the node's configuration. The management plugin gives each test a virtual host of its own.
rabbitmq_configure() {
  mkdir -p "$rabbitmq_home/log"
  echo "[rabbitmq_management]." >"$rabbitmq_home/enabled_plugins"
  (
    umask 077
    od -An -N16 -tx1 /dev/urandom | tr -d ' \n' >"$rabbitmq_home/.erlang.cookie"
    cat >"$rabbitmq_home/rabbitmq.conf" <<CONFIG
listeners.tcp.1 = 127.0.0.1:$rabbitmq_port
management.tcp.ip = 127.0.0.1
management.tcp.port = $rabbitmq_admin_port
default_user = slipway
default_pass = $rabbitmq_password
log.file.level = warning
CONFIG
  )
  # Erlang refuses a cookie that its owner could change.
  chmod 400 "$rabbitmq_home/.erlang.cookie"
}

# Waits until the broker takes logins, or its process has ended.
rabbitmq_ready() {
  for _ in $(seq 300); do
    if curl --silent --fail --max-time 2 --user "slipway:$rabbitmq_password" \
      "http://127.0.0.1:$rabbitmq_admin_port/api/overview" >/dev/null 2>&1 &&
      (: </dev/tcp/127.0.0.1/"$rabbitmq_port") 2>/dev/null; then
      return
    fi
    kill -0 "$rabbitmq_node" 2>/dev/null || return 1
    sleep 0.2
  done
  return 1
}

# Starts the node with what it has, and waits for it.
rabbitmq_boot() {
  rm -f "$rabbitmq_home/pid"
  rabbitmq_become rabbitmq-server >>"$rabbitmq_home/out.log" 2>&1 </dev/null &
  rabbitmq_node=$!
  rabbitmq_ready
}

# Starts the broker and exports its addresses for the suites.
rabbitmq_start() {
  rabbitmq_programs >/dev/null || {
    echo "RabbitMQ is not installed and could not be" >&2
    return 1
  }
  rabbitmq_home="$work/rabbitmq"
  rabbitmq_password=$(od -An -N16 -tx1 /dev/urandom | tr -d ' \n')
  # Another process may take a port between the look and the bind, so it is tried a few times.
  for _ in 1 2 3; do
    rm -rf "$rabbitmq_home"
    rabbitmq_port=$(free_port)
    rabbitmq_admin_port=$(free_port)
    rabbitmq_dist_port=$(free_port)
    rabbitmq_epmd_port=$(free_port)
    rabbitmq_configure
    epmd -address 127.0.0.1 -port "$rabbitmq_epmd_port" >/dev/null 2>&1 &
    rabbitmq_epmd=$!
    if rabbitmq_boot; then
      export SLIPWAY_TEST_QUEUE="amqp://slipway:$rabbitmq_password@127.0.0.1:$rabbitmq_port/%2F"
      export SLIPWAY_TEST_QUEUE_ADMIN="http://slipway:$rabbitmq_password@127.0.0.1:$rabbitmq_admin_port/"
      echo "RabbitMQ listens on 127.0.0.1:$rabbitmq_port"
      return
    fi
    rabbitmq_stop
  done
  tail -n 40 "$rabbitmq_home/out.log" >&2
  return 1
}

# Kills the node, if it runs, as a machine that loses its power does. What it has written stays.
rabbitmq_halt() {
  local machine
  if [[ -n $rabbitmq_node ]]; then
    machine=$(cat "$rabbitmq_home/pid" 2>/dev/null) || true
    if [[ -n $machine ]]; then
      kill -KILL "$machine" 2>/dev/null || true
    fi
    # The script ends with what it runs, and stops it while that has not said yet which process it is.
    kill -TERM "$rabbitmq_node" 2>/dev/null || true
    wait "$rabbitmq_node" 2>/dev/null || true
    rabbitmq_node=""
  fi
}

# Stops the node that rabbitmq_start started, if it runs, and its port mapper. What it holds is thrown away, so it need not tidy up.
rabbitmq_stop() {
  rabbitmq_halt
  if [[ -n $rabbitmq_epmd ]]; then
    kill "$rabbitmq_epmd" 2>/dev/null || true
    rabbitmq_epmd=""
  fi
}
