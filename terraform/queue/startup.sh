#!/bin/bash
# Runs RabbitMQ on this machine, as Debian ships it. Called at every start of the machine, and may be called at any time. The URL of
# the queue, with user, password and virtual host, comes from Secret Manager.
set -euo pipefail

disk=/dev/disk/by-id/google-queue
home=/var/lib/rabbitmq

# metadata PATH: what Google Cloud knows about this machine.
metadata() {
  curl --fail --silent --show-error --retry 10 --retry-connrefused --header 'Metadata-Flavor: Google' \
    "http://metadata.google.internal/computeMetadata/v1/$1"
}

# json KEY…: a value from the JSON on standard input.
json() {
  python3 -c 'import functools, json, sys
print(functools.reduce(lambda value, key: value[key], sys.argv[1:], json.load(sys.stdin)))' "$@"
}

# The disk is formatted when it is new, and is there before the broker is.
mount_disk() {
  if ! blkid "$disk" >/dev/null; then
    mkfs.ext4 -q -m 0 "$disk"
  fi
  mkdir -p "$home" /etc/systemd/system/rabbitmq-server.service.d
  if ! grep -q " $home " /etc/fstab; then
    echo "$disk $home ext4 defaults,nofail 0 2" >>/etc/fstab
  fi
  printf '[Unit]\nRequiresMountsFor=%s\n' "$home" >/etc/systemd/system/rabbitmq-server.service.d/disk.conf
  systemctl daemon-reload
  mountpoint --quiet "$home" || mount "$home"
}

# Installed without being started: on a disk from an older machine the files may belong to another number of the same user.
install_broker() {
  if dpkg --status rabbitmq-server >/dev/null 2>&1; then
    return
  fi
  printf '#!/bin/sh\nexit 101\n' >/usr/sbin/policy-rc.d
  chmod 755 /usr/sbin/policy-rc.d
  apt-get --quiet update
  DEBIAN_FRONTEND=noninteractive apt-get --quiet --yes install rabbitmq-server
  rm /usr/sbin/policy-rc.d
  chown -R rabbitmq:rabbitmq "$home"
}

configure() {
  cat >/etc/rabbitmq/rabbitmq.conf <<'END'
listeners.tcp.default = 5672
# Half of a small machine, so that the rest is left for Debian.
vm_memory_high_watermark.relative = 0.5
disk_free_limit.absolute = 1GB
END
}

# secret: the value of the secret whose name stands in the metadata.
secret() {
  local name token
  name=$(metadata instance/attributes/queue-secret)
  token=$(metadata instance/service-accounts/default/token | json access_token)
  # The header goes by standard input, so that no list of processes shows the token.
  printf 'Authorization: Bearer %s\n' "$token" |
    curl --fail --silent --show-error --retry 10 --header @- \
      "https://secretmanager.googleapis.com/v1/$name/versions/latest:access" |
    json payload data | base64 --decode
}

# part NAME: the user name, the password or the path of the URL on standard input.
part() {
  python3 -c 'import sys, urllib.parse
print((getattr(urllib.parse.urlsplit(sys.stdin.read()), sys.argv[1]) or "").lstrip("/"))' "$1"
}

# One user for one virtual host. The guest that every broker is born with goes.
admit() {
  local url user vhost
  url=$(secret)
  user=$(part username <<<"$url")
  vhost=$(part path <<<"$url")
  rabbitmqctl await_startup
  if rabbitmqctl --quiet --no-table-headers list_users | cut -f 1 | grep -qx "$user"; then
    part password <<<"$url" | rabbitmqctl --quiet change_password "$user"
  else
    part password <<<"$url" | rabbitmqctl --quiet add_user "$user"
  fi
  if ! rabbitmqctl --quiet --no-table-headers list_vhosts | grep -qx "$vhost"; then
    rabbitmqctl --quiet add_vhost "$vhost"
  fi
  rabbitmqctl --quiet set_permissions --vhost "$vhost" "$user" '.*' '.*' '.*'
  if rabbitmqctl --quiet --no-table-headers list_users | cut -f 1 | grep -qx guest; then
    rabbitmqctl --quiet delete_user guest
  fi
}

mount_disk
install_broker
configure
systemctl enable --now rabbitmq-server
admit
