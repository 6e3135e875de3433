#!/bin/sh
# Behaves as the entry point of the official redis image does: /data belongs to redis (uid 999).
set -e
case ${1:-} in -* | *.conf) set -- redis-server "$@" ;; esac
if [ "${1:-}" = redis-server ] && [ "$(id -u)" = 0 ]; then
  find . \! -user redis -exec chown redis '{}' +
  exec setpriv --reuid=redis --regid=redis --init-groups "$0" "$@"
fi
[ "${1:-}" != redis-server ] || set -- "$@" --protected-mode no
exec "$@"
