#!/usr/bin/env bash
# A RabbitMQ for one test, in the directory DIR: `node.sh DIR`. Says its address when it listens. Then it does what it is told on its
# standard input, `stop` or `start`, and says `done` each time. With the end of its input it goes.
set -euo pipefail

work=$1
place=$(dirname "${BASH_SOURCE[0]}")
# shellcheck source=tests/services/postgres.sh
. "$place/postgres.sh"
# shellcheck source=tests/services/rabbitmq.sh
. "$place/rabbitmq.sh"

trap rabbitmq_stop EXIT
rabbitmq_start >&2
echo "$SLIPWAY_TEST_QUEUE"
while read -r word; do
  case $word in
    stop) rabbitmq_halt ;;
    start)
      if [[ -z $rabbitmq_node ]] && ! rabbitmq_boot; then
        tail -n 40 "$rabbitmq_home/out.log" >&2
        exit 1
      fi
      ;;
    *) exit 2 ;;
  esac
  echo "done"
done
