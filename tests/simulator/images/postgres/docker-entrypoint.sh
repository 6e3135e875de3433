#!/bin/bash
# Behaves as the entry point of the official postgres image does: as root it gives PGDATA to
# postgres (uid 70, as in the alpine image) and becomes that user; an empty PGDATA is initialised
# with POSTGRES_USER, POSTGRES_PASSWORD, POSTGRES_DB and what lies in /docker-entrypoint-initdb.d.
set -euo pipefail

[ "${1:0:1}" != - ] || set -- postgres "$@"
[ "${1:-}" = postgres ] || exec "$@"

export PGDATA=${PGDATA:-/var/lib/postgresql/data}
if [ "$(id -u)" = 0 ]; then
  mkdir -p "$PGDATA" /var/run/postgresql
  find "$PGDATA" /var/run/postgresql \! -user postgres -exec chown postgres:postgres {} +
  chmod 0700 "$PGDATA"
  chmod 3775 /var/run/postgresql
  exec setpriv --reuid=postgres --regid=postgres --init-groups "$BASH_SOURCE" "$@"
fi

if [ ! -s "$PGDATA/PG_VERSION" ]; then
  user=${POSTGRES_USER:-postgres}
  if [ -z "${POSTGRES_PASSWORD:-}" ]; then
    echo "Error: the database is not initialised and POSTGRES_PASSWORD is empty" >&2
    exit 1
  fi
  initdb --username="$user" --pwfile=<(printf '%s\n' "$POSTGRES_PASSWORD") --auth-local=trust --auth-host=scram-sha-256
  echo "listen_addresses = '*'" >>"$PGDATA/postgresql.conf"
  echo "host all all all scram-sha-256" >>"$PGDATA/pg_hba.conf"
  # Not on TCP: nobody may take the server for ready before it is.
  PGUSER='' pg_ctl -D "$PGDATA" -o "-c listen_addresses=''" -w start
  psql=(psql -v ON_ERROR_STOP=1 --no-password --no-psqlrc --username "$user")
  if [ "${POSTGRES_DB:-$user}" != postgres ]; then
    "${psql[@]}" --dbname postgres --set db="${POSTGRES_DB:-$user}" <<<'CREATE DATABASE :"db"'
  fi
  for file in /docker-entrypoint-initdb.d/*; do
    case $file in
      *.sh) . "$file" ;;
      *.sql) "${psql[@]}" --dbname "${POSTGRES_DB:-$user}" -f "$file" ;;
    esac
  done
  PGUSER='' pg_ctl -D "$PGDATA" -m fast -w stop
  echo "PostgreSQL init process complete; ready for start up."
fi
exec "$@"
