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

# Debian asks this program whether a package may start its service.
debian_policy=/usr/sbin/policy-rc.d
debian_policy_state=""

# Forbids it until debian_allow_services: the suites start servers of their own, and nobody asked for others.
debian_forbid_services() {
  if [[ -e $debian_policy ]]; then
    as_root mv "$debian_policy" "$debian_policy.slipway"
  fi
  debian_policy_state=forbidden
  printf '#!/bin/sh\nexit 101\n' | as_root tee "$debian_policy" >/dev/null
  as_root chmod 755 "$debian_policy"
}

# Puts things back as debian_forbid_services found them. Does nothing when it did nothing.
debian_allow_services() {
  if [[ $debian_policy_state != forbidden ]]; then
    return
  fi
  as_root rm -f "$debian_policy"
  if [[ -e $debian_policy.slipway ]]; then
    as_root mv "$debian_policy.slipway" "$debian_policy"
  fi
  debian_policy_state=""
}

# Installs what was noted, and starts no service. The package lists of a fresh machine are empty or old, so they come first.
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
  debian_forbid_services
  as_root env DEBIAN_FRONTEND=noninteractive apt-get install -qq -y --no-install-recommends \
    -o Dpkg::Options::=--force-confold "${debian_missing[@]}"
  debian_allow_services
  hash -r
}
