# shellcheck shell=bash
# A private S3 server for one run: moto from PyPI, which knows what S3 refuses, on a free port on loopback. Sourced by
# tests/run, which sets `work`. Objects live in its memory.

# The release that the suites were written against. A newer one may know more of S3, which would be a change here.
moto_version=5.2.5

objects_process=""

objects_need() {
  debian_need python3 python3
  if ! python3 -c 'import ensurepip, venv' 2>/dev/null; then
    debian_missing+=(python3-venv)
  fi
}

# Installs the server into an environment of its own under target/, once.
objects_install() {
  local home=$1
  if [[ -x $home/bin/moto_server ]] && "$home/bin/pip" show moto 2>/dev/null | grep -qx "Version: $moto_version"; then
    return
  fi
  rm -rf "$home"
  python3 -m venv "$home"
  "$home/bin/pip" install --quiet --disable-pip-version-check "moto[server]==$moto_version"
}

# Starts the server with one bucket and exports its address, and who we are to it, for the suites and for whatever they start.
objects_start() {
  local home=$1 port
  objects_install "$home" || return 1
  # Another process may take the port between the look and the bind, so a few ports are tried.
  for _ in 1 2 3 4 5; do
    port=$(free_port)
    "$home/bin/moto_server" --host 127.0.0.1 --port "$port" >"$work/objects.log" 2>&1 &
    objects_process=$!
    for _ in $(seq 200); do
      if curl --silent --fail --output /dev/null --request PUT "http://127.0.0.1:$port/slipway"; then
        export SLIPWAY_TEST_OBJECTS="s3://slipway/"
        export AWS_ENDPOINT="http://127.0.0.1:$port" AWS_ALLOW_HTTP=true AWS_REGION=us-east-1
        export AWS_ACCESS_KEY_ID=slipway AWS_SECRET_ACCESS_KEY=slipway
        echo "an S3 server listens on 127.0.0.1:$port"
        return
      fi
      kill -0 "$objects_process" 2>/dev/null || break
      sleep 0.1
    done
    objects_stop
  done
  tail -n 20 "$work/objects.log" >&2
  return 1
}

# Stops the server that objects_start started, if it runs.
objects_stop() {
  if [[ -n $objects_process ]]; then
    kill "$objects_process" 2>/dev/null || true
    wait "$objects_process" 2>/dev/null || true
    objects_process=""
  fi
}
