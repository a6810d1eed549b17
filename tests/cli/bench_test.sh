#!/usr/bin/env bash
# `millrace bench` measures and prints what programs can read; how much it measures is no test.
source "$(dirname "$0")/library.sh" "$@"
export BENCH_DIR=$work

run bench --quick --rounds 1 --only 'append.nosync/100B' --json
expect_status 0
expect_err_has "round 1 of 1: append.nosync/100B"
expect_json /rounds 1
expect_json /rows/0/row limit/append.nosync/100B
expect_json /rows/3/row millrace/append.nosync.b1/100B
expect_json /rows/3/against limit/append.nosync/100B
rows=$(grep -c '"row"' "$work/out")
checks=$((checks + 1))
[ "$rows" -ge 5 ] || fail "only $rows rows"
for ((i = 0; i < rows; ++i)); do
  median=$("$json_value" /rows/$i/median <"$work/out")
  expect_json /rows/$i/samples/0 "$median"
  checks=$((checks + 1))
  awk "BEGIN {exit !($median > 0)}" || fail "row $i has median $median"
done

run bench --quick --rounds 1 --only 'no such row' --json
expect_done
expect_json /rows "[]"
run bench --rounds 0
expect_failure 2 "--rounds"
run bench --only '('
expect_failure 2 'is not a regular expression'
BENCH_QUICK=1 BENCH_GROUP=none run bench rows
expect_done
expect_out ""

finish
