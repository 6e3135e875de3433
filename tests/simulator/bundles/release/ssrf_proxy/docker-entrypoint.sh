#!/bin/sh
# Fills the template from the environment and becomes squid.
set -e
while IFS= read -r line; do
  eval "printf '%s\n' \"$line\""
done </etc/squid/squid.conf.template >/etc/squid/squid.conf
exec squid -f /etc/squid/squid.conf -NYC
