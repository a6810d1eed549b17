# Sourced by the tests: `. library.sh "$@"`, with the program and the shared folder as arguments.
set -euo pipefail
millrace=$1
shared=$2
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
work=$(mktemp -d "${TMPDIR:-/tmp}/millrace-interop-XXXXXX")
server=
started=()

clean_up() {
  local status=$?
  local pid
  for pid in "${started[@]}" $server; do
    kill "$pid" 2>/dev/null || true
    timeout 20 tail -s 0.1 --pid="$pid" -f /dev/null || kill -KILL "$pid" 2>/dev/null || true
    wait "$pid" 2>/dev/null || true
  done
  [ $status -eq 0 ] || { echo "the server said:"; cat "$work/server.err" 2>/dev/null; } >&2
  rm -rf "$work"
  exit $status
}
trap clean_up EXIT

fail() { echo "FAILED: $1" >&2; exit 1; }
# check WHAT GOT WANTED
check() { [ "$2" = "$3" ] || fail "$1: got '$2', wanted '$3'"; }

# A client that is missing is a failure: the packages are installed before.
need() {
  local command
  for command in "$@"; do
    command -v "$command" >/dev/null || fail "there is no $command; run .ci/install-packages.sh interop jvm"
  done
}

# wait_for_lines FILE N: until the file has so many.
wait_for_lines() {
  local have
  have=$(head -n "$2" < <(timeout 60 tail -n +1 -f "$1") | wc -l)
  [ "$have" -eq "$2" ] || fail "$1 has only $have lines: $(cat "$1" "$1.err" 2>/dev/null)"
}

# start_server [HOST:PORT [options]]: sets `address`.
start_server() {
  local listen=${1:-127.0.0.1:0}
  shift || true
  "$millrace" --data "$work/data" serve --listen "$listen" "$@" >"$work/server.out" 2>"$work/server.err" &
  server=$!
  # The line comes when it is ready; a server that ends closes the pipe of tail.
  local line
  line=$(head -n 1 < <(timeout 60 tail --pid=$server -n +1 -f "$work/server.out" 2>/dev/null))
  address=${line#listening at }
  [ -n "$address" ] || fail "the server did not start: $(cat "$work/server.err")"
}

# Stops it in order and checks its files.
stop_server() {
  local pid=$server
  server=
  kill -TERM "$pid"
  wait "$pid" || fail "the server ended with $?"
  "$millrace" log verify "$work/data" >"$work/verify.out" || fail "log verify: $(cat "$work/verify.out")"
}
