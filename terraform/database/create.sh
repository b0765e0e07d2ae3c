#!/bin/sh
# Makes the database that SLIPWAY_DATABASE names, sorted by the collation `C`, unless it is there. Runs as a Cloud Run job in an
# image of PostgreSQL. The URL has the form postgres://USER:PASSWORD@HOST:PORT/NAME?PARAMETERS.
set -eu

server=${SLIPWAY_DATABASE%/*}
name_and_parameters=${SLIPWAY_DATABASE##*/}
name=${name_and_parameters%%\?*}

# `postgres` is the database that every server has.
ask() {
  psql "$server/postgres?sslmode=require" --no-psqlrc --quiet --tuples-only --no-align --set ON_ERROR_STOP=1 --command "$1"
}

if [ "$(ask "SELECT count(*) FROM pg_database WHERE datname = '$name'")" = 0 ]; then
  ask "CREATE DATABASE \"$name\" TEMPLATE template0 LOCALE 'C' ENCODING 'UTF8'"
  echo "made the database $name"
else
  echo "the database $name is there"
fi
