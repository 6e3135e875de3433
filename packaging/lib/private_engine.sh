# shellcheck shell=bash
# state_dir and the helpers come from common.sh.
# shellcheck disable=SC2154
# A Docker Engine of our own beside or instead of the machine's: own data root, sockets, bridge
# and addresses. Sourced by packaging/engine after common.sh.

engine_dir=$state_dir/engine
engine_key=$(printf '%s' "$engine_dir" | sha256sum | cut -c1-8)
# Sockets live in /run because a state directory's path may be longer than a socket's may be.
engine_run=/run/difyd-engine-$engine_key
engine_host=unix://$engine_run/docker.sock
engine_bridge=difyd$engine_key

engine_pid() {
  local pid
  pid=$(cat "$engine_run/docker.pid" 2>/dev/null) || return 1
  grep -qsF -- "$engine_run/docker.sock" "/proc/$pid/cmdline" || return 1
  echo "$pid"
}

# The first of a few ranges that no route of this machine and no other private engine has: a bridge without
# containers loses its route now and then.
free_range() {
  local routes taken n
  routes=$(ip -4 route)
  taken=$(cat /run/difyd-engine-*/range 2>/dev/null || true)
  for n in 213 214 215 216 217 218 219; do
    [[ $routes == *"10.$n."* ]] || grep -qx "10.$n" <<<"$taken" || { echo "10.$n"; return; }
  done
  die "cannot start an engine: the ranges 10.213.0.0/16 to 10.219.0.0/16 are all in use here"
}

# A dockerd that manages the packet filter clears the chains of every other dockerd of the machine
# when it starts. Ours keeps its hands off (published ports go through docker-proxy, which is
# enough here) and has three rules that bear its name: forward, and masquerade what leaves.
each_rule() { # "each_rule add RANGE" or "each_rule delete RANGE"
  local table chain match action=-I
  [ "$1" = add ] || action=-D
  command -v iptables >/dev/null || return 0
  while read -r table chain match; do
    # shellcheck disable=SC2086
    iptables -w 10 -t "$table" $action "$chain" $match -m comment --comment "difyd-engine-$engine_key" 2>/dev/null || true
  done <<RULES
filter FORWARD -s $2.0.0/16 -j ACCEPT
filter FORWARD -d $2.0.0/16 -j ACCEPT
nat POSTROUTING -s $2.0.0/16 ! -d $2.0.0/16 -j MASQUERADE
RULES
}

make_network() {
  local range
  exec 7>/run/difyd-engine.lock # two that start at once must not choose the same range
  flock 7
  range=$(free_range)
  echo "$range" >"$engine_run/range"
  cat /proc/sys/net/ipv4/ip_forward >"$engine_run/ip_forward"
  ip link delete "$engine_bridge" 2>/dev/null || true
  ip link add name "$engine_bridge" type bridge
  ip addr add "$range.0.1/24" dev "$engine_bridge"
  ip link set "$engine_bridge" up
  exec 7>&-
  each_rule add "$range"
}

remove_network() {
  local range bridge
  [ -s "$engine_run/range" ] || return 0
  range=$(cat "$engine_run/range")
  # Ours, and those of networks that a killed engine could not remove.
  for bridge in $(ip -4 -o addr show | awk -v range="$range." 'index($4, range) == 1 { print $2 }'); do
    ip link delete "$bridge" type bridge 2>/dev/null || true
  done
  # Its own by name too: an engine that is ended takes the address off it now and then.
  ip link delete "$engine_bridge" type bridge 2>/dev/null || true
  each_rule delete "$range"
  # Forwarding goes back to what it was unless some other engine has come to need it.
  pidof dockerd >/dev/null || cat "$engine_run/ip_forward" >/proc/sys/net/ipv4/ip_forward || true
}

engine_start() {
  local range log=$engine_dir/dockerd.log
  command -v dockerd >/dev/null || die "cannot start an engine: dockerd is not installed; run packaging/install-packages"
  mkdir -m 0711 "$engine_run"
  private_dir "$engine_dir"
  make_network
  range=$(cat "$engine_run/range")
  # The data root remembers the networks of its last start: in another range now, they would take the
  # addresses of the engine that has the former one.
  [ "$(cat "$engine_dir/range" 2>/dev/null)" = "$range" ] || rm -rf "$engine_dir/data/network"
  echo "$range" >"$engine_dir/range"
  # The machine's own /etc/docker/daemon.json is not for this one.
  echo "${DIFYD_ENGINE_CONFIG:-"{}"}" >"$engine_run/daemon.json"
  # The lock's descriptor (9) must not live on in the daemon.
  setsid dockerd --config-file "$engine_run/daemon.json" --host "$engine_host" --group "${SUDO_GID:-0}" \
    --data-root "$engine_dir/data" --exec-root "$engine_run/exec" --pidfile "$engine_run/docker.pid" \
    --containerd-namespace "difyd-$engine_key" --containerd-plugins-namespace "difyd-plugins-$engine_key" \
    --bridge "$engine_bridge" --iptables=false --ip6tables=false --default-address-pool "base=$range.128.0/17,size=24" \
    --log-opt max-size=10m --shutdown-timeout 15 </dev/null >"$log" 2>&1 9>&- &
  local pid=$!
  engine_ready() { engine_answers "$engine_host" || ! kill -0 "$pid" 2>/dev/null; }
  wait_for 60 engine_ready || true
  if engine_answers "$engine_host"; then
    engine_clear # what a run that was killed has left behind
    return
  fi
  say "$(grep -oE 'level=(fatal|error).*' "$log" | tail -n 3 || tail -n 3 "$log")"
  engine_stop
  die "cannot start an engine: dockerd gave up; its log is $log"
}

# Containers, networks and volumes go, images stay as a cache for the next run.
engine_clear() {
  local id
  export DOCKER_HOST=$engine_host
  for id in $(engine_api GET '/containers/json?all=1' | jq -r '.[].Id'); do
    engine_api DELETE "/containers/$id?force=true&v=true" >/dev/null || true
  done
  engine_api POST /networks/prune >/dev/null || true
  for id in $(engine_api GET /volumes | jq -r '.Volumes // [] | .[].Name'); do
    engine_api DELETE "/volumes/$id?force=true" >/dev/null || true
  done
}

# What outlives a dockerd that was killed: its helpers, known by our paths on their command line,
# and the containers, known by their numbers in /proc/<pid>/cgroup.
engine_processes() {
  local containers
  grep -lF -- "$engine_run/" /proc/[0-9]*/cmdline 2>/dev/null | cut -d/ -f3 | while read -r pid; do
    case $(readlink "/proc/$pid/exe" 2>/dev/null) in */dockerd | */containerd* | */docker-proxy) echo "$pid" ;; esac
  done
  containers=$(find "$engine_dir/data/containers" -mindepth 1 -maxdepth 1 -printf '%f\n' 2>/dev/null || true)
  [ -z "$containers" ] || { grep -lF -- "$containers" /proc/[0-9]*/cgroup 2>/dev/null || true; } | cut -d/ -f3
}

end_processes() {
  local signal pid
  for signal in TERM KILL; do
    for pid in $(engine_processes); do kill -s $signal "$pid" 2>/dev/null || true; done
    engine_gone() { [ -z "$(engine_processes)" ]; }
    ! wait_for 20 engine_gone || return 0
  done
}

engine_stop() {
  local pid mount mounts
  if pid=$(engine_pid); then
    ! engine_answers "$engine_host" || engine_clear
    kill "$pid"
    engine_ended() { ! kill -0 "$pid" 2>/dev/null; }
    wait_for 40 engine_ended || true
  fi
  end_processes
  mapfile -t mounts < <(awk '{ print $5 }' /proc/self/mountinfo | grep -E "^($engine_run|$engine_dir)/" | sort -r)
  for mount in "${mounts[@]}"; do umount -l "$mount" || true; done
  remove_network
  rm -rf "$engine_run"
}
