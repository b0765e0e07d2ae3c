# shellcheck shell=bash
# Debian packages that a fresh machine may lack. Sourced by tests/run.

debian_missing=()

# debian_need COMMAND PACKAGE: notes the package when the command is not there.
debian_need() {
  command -v "$1" >/dev/null || debian_missing+=("$2")
}

# Runs a command as root, through sudo where we are not.
as_root() {
  if [[ $(id -u) -eq 0 ]]; then
    "$@"
  else
    sudo "$@"
  fi
}

# Installs what was noted. The package lists of a fresh machine are empty or old, so they come first.
debian_install() {
  if [[ ${#debian_missing[@]} -eq 0 ]]; then
    return
  fi
  if ! command -v apt-get >/dev/null; then
    echo "tests/run: install these first, there is no apt-get to do it: ${debian_missing[*]}" >&2
    return 1
  fi
  printf '\n== installing %s\n' "${debian_missing[*]}"
  as_root apt-get update -qq
  as_root env DEBIAN_FRONTEND=noninteractive apt-get install -qq -y --no-install-recommends \
    -o Dpkg::Options::=--force-confold "${debian_missing[@]}"
  hash -r
}
