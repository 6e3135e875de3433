#!/bin/sh
# Fills the templates from the environment and becomes nginx. default.conf is written beside its
# template, that is into the release's own directory.
set -e
names=$(env | sed -n 's/^\(NGINX_[A-Z_]*\)=.*/$\1/p' | tr '\n' ' ')
fill() { envsubst "$names" <"$1" >"$2"; }

fill /etc/nginx/nginx.conf.template /etc/nginx/nginx.conf
fill /etc/nginx/proxy.conf.template /etc/nginx/proxy.conf
: >/etc/nginx/https-listen.conf
if [ "${NGINX_HTTPS_ENABLED:-}" = true ]; then
  fill /etc/nginx/https.conf.template /etc/nginx/https-listen.conf
fi
fill /etc/nginx/conf.d/default.conf.template /etc/nginx/conf.d/default.conf
exec nginx -g 'daemon off;'
