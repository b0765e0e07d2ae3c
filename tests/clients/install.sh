# shellcheck shell=bash
# The real clients, from the npm registry that this machine's npm is set up for. Sourced by tests/run.

# clients_install DIR: installs into DIR what package.json beside this file pins, unless it is there already. No install script
# runs: the suite starts every client by its path.
clients_install() {
  local directory=$1 here stamp
  here=$(dirname "${BASH_SOURCE[0]}")
  stamp=$(cat "$here/package.json" "$here/package-lock.json" | sha256sum)
  if [[ -f $directory/installed && $(<"$directory/installed") == "$stamp" ]]; then
    echo "the clients are installed"
    return
  fi
  mkdir -p "$directory" &&
    rm -f "$directory/installed" &&
    cp "$here/package.json" "$here/package-lock.json" "$here/.npmrc" "$directory/" &&
    npm --prefix "$directory" ci --ignore-scripts --no-audit --no-fund &&
    echo "$stamp" >"$directory/installed"
}
