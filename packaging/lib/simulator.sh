# shellcheck shell=bash
# The engine with the stand-in images on it, for demo and tests. Sourced after common.sh.

# engine_with_images PID: exports DOCKER_HOST of an engine that has all stand-in images. It stays up
# until PID ends or "packaging/engine down --for PID" says so. Where the machine's own engine has real
# images of those names, nothing is touched there and a private engine is used.
engine_with_images() {
  local line code=0
  line=$("$root_dir/packaging/engine" up --for "$1")
  export "${line?}"
  "$root_dir/tests/simulator/build-images" || code=$?
  if [ $code -eq 3 ] && [ "${DIFYD_PRIVATE_ENGINE:-}" != 1 ]; then
    say "using a private engine instead"
    export DIFYD_PRIVATE_ENGINE=1
    engine_with_images "$1"
  elif [ $code -ne 0 ]; then
    exit $code
  fi
}
