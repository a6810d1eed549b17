# Shared by the tests of the program; they are called with its path and that of json_value, which
# takes JSON apart. Sourced.
#
# `run` keeps what a command printed and how it ended, the `expect_...` look at that. All checks of a
# script are made, `finish` tells whether one failed. $MILLRACE_DATA is a directory of the script's
# own, which does not exist yet.
set -uo pipefail
millrace=$1
json_value=${2:-}
[ -x "$millrace" ] || { echo "no program $millrace"; exit 1; }
export LC_ALL=C
work=$(mktemp -d "${TMPDIR:-/tmp}/millrace-cli-XXXXXX")
export MILLRACE_DATA=$work/data
failures=0
checks=0
started=()

clean_up() {
  local pid
  for pid in ${started[@]+"${started[@]}"}; do kill -KILL "$pid" 2>/dev/null; done
  rm -rf "$work"
}
trap clean_up EXIT

fail() {
  failures=$((failures + 1))
  local line=${BASH_LINENO[1]}
  echo "FAILED at line $line: $*"
}

# Runs the program; then $status, $work/out and $work/err.
run() {
  last="millrace $*"
  "$millrace" "$@" >"$work/out" 2>"$work/err"
  status=$?
}

show() { printf '  after: %s\n  stdout: %s\n  stderr: %s\n' "$last" "$(head -c 600 "$work/out" | tr '\0' '?')" "$(head -c 600 "$work/err")"; }

expect_status() {
  checks=$((checks + 1))
  [ "$status" -eq "$1" ] || { fail "exit code $status instead of $1"; show; }
}
# Success without a word on stderr.
expect_done() {
  checks=$((checks + 1))
  [ "$status" -eq 0 ] && [ ! -s "$work/err" ] || { fail "exit code $status, or words on stderr"; show; }
}
# What was printed, less line breaks at the end.
expect_out() {
  checks=$((checks + 1))
  [ "$(cat "$work/out")" = "$1" ] || { fail "stdout is not: $1"; show; }
}
expect_out_has() {
  checks=$((checks + 1))
  grep -qF -- "$1" "$work/out" || { fail "stdout lacks: $1"; show; }
}
expect_err_has() {
  checks=$((checks + 1))
  grep -qF -- "$1" "$work/err" || { fail "stderr lacks: $1"; show; }
}
# expect_failure CODE TEXT: ends with CODE, says TEXT after "millrace: ", prints nothing.
expect_failure() {
  checks=$((checks + 1))
  if [ "$status" -ne "$1" ] || [ -s "$work/out" ] || ! grep -q '^millrace: ' "$work/err" ||
    ! grep -qF -- "$2" "$work/err"; then
    fail "not a failure with code $1 that says: $2"
    show
  fi
}
# expect_json POINTER TEXT: the JSON that was printed has this value at a JSON pointer.
expect_json() {
  local value
  checks=$((checks + 1))
  value=$("$json_value" "$1" <"$work/out") && [ "$value" = "$2" ] ||
    { fail "at $1 is \"$value\" instead of $2"; show; }
}
expect_equal() {
  checks=$((checks + 1))
  [ "$1" = "$2" ] || fail "\"$1\" is not \"$2\""
}
expect_same_file() {
  checks=$((checks + 1))
  cmp "$1" "$2" || fail "$1 and $2 differ"
}

# Reads one line from descriptor $1 into $line. Gives up after a minute, so that nothing hangs.
next_line() {
  read -r -t 60 -u "$1" line || { line=; fail "no line came"; return 1; }
}

# Starts the program in the background with standard output on descriptor 7 and, if $feed is not
# empty, standard input from what is written to descriptor 8. Sets $pid.
start() {
  rm -f "$work/from" "$work/to"
  mkfifo "$work/from"
  if [ -n "${feed:-}" ]; then
    mkfifo "$work/to"
    "$millrace" "$@" <"$work/to" >"$work/from" 2>"$work/start.err" &
    pid=$!
    exec 8>"$work/to"
  else
    "$millrace" "$@" </dev/null >"$work/from" 2>"$work/start.err" &
    pid=$!
  fi
  started+=("$pid")
  exec 7<"$work/from"
}

# Waits for the process $1, which has been told to end, and sets $status.
await() {
  wait "$1" 2>/dev/null
  status=$?
}

finish() {
  if [ "$failures" -gt 0 ]; then
    echo "$failures of $checks checks failed"
    exit 1
  fi
  echo "$checks checks passed"
  [ "$checks" -gt 0 ]
}
