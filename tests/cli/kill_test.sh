#!/usr/bin/env bash
# A producer that is killed has reported nothing that is not in the log, and the log holds nothing
# but the front of the input. MILLRACE_LONG=1: many more rounds.
source "$(dirname "$0")/library.sh" "$1"

rounds=5
[ -z "${MILLRACE_LONG:-}" ] || rounds=200
seq 1000000 >"$work/input"
run topic create t --config segment.bytes=1048576
run topic create spread --partitions 4

# Appends the input from the first line that is not in the log; is killed after some reports.
produce_and_kill() {
  local topic=$1 from=$2 wanted=$3
  shift 3
  mkfifo "$work/fifo"
  tail -n "+$from" "$work/input" >"$work/rest"
  "$millrace" produce "$topic" --report "$@" <"$work/rest" >"$work/fifo" &
  pid=$!
  started+=("$pid")
  {
    for ((i = 0; i < wanted; ++i)); do read -r line && echo "$line"; done
    kill -KILL "$pid"
    cat
  } <"$work/fifo" >"$work/report"
  await "$pid"
  rm "$work/fifo"
  # A line that is not complete was never reported.
  [ -z "$(tail -c 1 "$work/report")" ] || fail "the report ends within a line"
  checks=$((checks + 1))
}

held=0
for round in $(seq $rounds); do
  produce_and_kill t $((held + 1)) $((RANDOM % 3000 + 1))
  expect_equal "$(awk -v n=$held '$0 != "0 " n {print "not " n; exit} {++n}' "$work/report")" ""
  reported=$((held + $(wc -l <"$work/report")))
  # An owner recovers what was stored and not yet reported; a mere reader leaves it alone.
  "$millrace" produce t </dev/null || fail "opening after the kill"
  run consume t --exit-at-end
  expect_done
  held=$(wc -l <"$work/out")
  head -n "$held" "$work/input" >"$work/expected"
  expect_same_file "$work/out" "$work/expected"
  checks=$((checks + 1))
  [ "$held" -ge "$reported" ] || fail "$reported records were reported, $held are there"
done

# By key over several partitions: each report is of a record that is there.
produce_and_kill spread 1 2500 --key-separator '\0' --config partitioner=round_robin
run consume spread --exit-at-end --format '%p %o\n'
sort "$work/out" >"$work/there"
sort "$work/report" >"$work/reported"
expect_equal "$(comm -23 "$work/reported" "$work/there" | head -n 3)" ""
expect_equal "$(uniq -d "$work/reported" | head -n 3)" ""

# Once more to the end: each record is in the log exactly once.
tail -n "+$((held + 1))" "$work/input" | "$millrace" produce t || fail "produce"
run consume t --exit-at-end
expect_same_file "$work/out" "$work/input"

finish
