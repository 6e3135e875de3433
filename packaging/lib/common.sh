# shellcheck shell=bash
# What is set here is used by the scripts that source it.
# shellcheck disable=SC2034
# What the scripts of packaging/ share. Sourced, never run; expects bash with -euo pipefail.

root_dir=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)

say() { printf '%s\n' "$*" >&2; }
die() { printf '%s: %s\n' "$(basename "$0")" "$*" >&2; exit 1; }

# Everything that outlives a run (engine, images, passwords) is below this directory.
state_dir=${DIFYD_STATE:-/var/tmp/difyd-demo}
# What is costly to make and the same for every state directory (the base tree of the images).
cache_dir=${DIFYD_CACHE:-/var/tmp/difyd-cache}

# as_root ARGUMENTS...: runs the calling script again as root when it is not; returns otherwise.
as_root() {
  [ "$(id -u)" -ne 0 ] || return 0
  local needs="root is needed, to install Debian packages and to run a Docker Engine"
  command -v sudo >/dev/null || die "$needs, and sudo is not installed; run it as root"
  sudo -n true 2>/dev/null || say "$(basename "$0"): $needs; asking sudo for it"
  exec sudo --preserve-env=DIFYD_STATE,DIFYD_CACHE,DIFYD_PRIVATE_ENGINE,DIFYD_POSTGRES_NAME,DIFYD_DEBIAN_MIRROR,DIFYD_TEST_ALL,DOCKER_HOST -- \
    "$0" "$@"
}

# What root has built in somebody's clone belongs to that somebody.
give_back_build() { chown -R --reference="$root_dir" "$root_dir/build" 2>/dev/null || true; }

# private_dir DIR: a directory of ours (or of the user behind sudo) that nobody else can have
# planted: /var/tmp is everybody's.
private_dir() {
  local owner
  if mkdir -p "$(dirname "$1")" 2>/dev/null && mkdir -m 0755 "$1" 2>/dev/null; then
    [ -z "${SUDO_UID:-}" ] || chown "$SUDO_UID:${SUDO_GID:-0}" "$1"
  fi
  owner=$(stat -c %u "$1" 2>/dev/null) ||
    die "cannot make the folder $1; set DIFYD_STATE to a place where $(id -un) may write"
  [ -d "$1" ] && [ ! -L "$1" ] || die "cannot use $1: it is not a folder; remove it or set DIFYD_STATE to another place"
  [ "$owner" = "$(id -u)" ] || [ "$owner" = "${SUDO_UID:-0}" ] ||
    die "cannot use $1: it belongs to $(stat -c %U "$1"), not to $(id -un); remove it or set DIFYD_STATE to another place"
}

# wait_for SECONDS COMMAND...: polls until the command succeeds; 1 when the time is over.
wait_for() {
  local deadline=$((SECONDS + $1)); shift
  until "$@" >/dev/null 2>&1; do
    [ $SECONDS -lt $deadline ] || return 1
    sleep 0.1
  done
}

# engine_answers HOST: whether a Docker Engine answers there (unix:// or tcp://) within 3 s.
engine_answers() {
  case $1 in
    unix://*) [ -S "${1#unix://}" ] && curl -sf --max-time 3 --unix-socket "${1#unix://}" http://engine/_ping ;;
    tcp://*) curl -sf --max-time 3 "http://${1#tcp://}/_ping" ;;
    *) return 1 ;;
  esac >/dev/null 2>&1
}

# engine_api METHOD PATH [curl arguments]: one call to the engine at $DOCKER_HOST.
engine_api() {
  local method=$1 path=$2; shift 2
  case $DOCKER_HOST in
    unix://*) curl -sS --fail --max-time 120 --unix-socket "${DOCKER_HOST#unix://}" -X "$method" "http://engine$path" "$@" ;;
    *) curl -sS --fail --max-time 120 -X "$method" "http://${DOCKER_HOST#tcp://}$path" "$@" ;;
  esac
}

# process_start PID: the kernel's start time of a process, which tells it from a later one with
# the same number; empty when there is none.
process_start() { awk '{ sub(/.*\) /, ""); print $20 }' "/proc/$1/stat" 2>/dev/null || true; }
