#!/usr/bin/env bash
# group list, describe, reset, delete, and consume --group.
source "$(dirname "$0")/library.sh" "$1" "$2"

run topic create orders --partitions 2
run topic create returns
for i in 1 2 3 4 5; do echo "a$i"; done | "$millrace" produce orders --partition 0
for i in 1 2 3; do echo "b$i"; done | "$millrace" produce orders --partition 1
echo r1 | "$millrace" produce returns

run group list
expect_done
expect_out "GROUP  STATE  MEMBERS  ASSIGNOR"
run group describe billing
expect_failure 1 "there is no group billing"

# A member of a group goes on where it left off.
run consume orders --group billing --max-records 3
expect_done
expect_equal "$(wc -l <"$work/out")" 3
cp "$work/out" "$work/first"
run group list
expect_out_has "billing  Empty  0"
run consume orders --group billing --exit-at-end --assignor range,roundrobin
expect_done
expect_equal "$(wc -l <"$work/out")" 5
expect_equal "$(cat "$work/first" "$work/out" | sort | tr '\n' ' ')" "a1 a2 a3 a4 a5 b1 b2 b3 "
run consume orders --group billing --exit-at-end
expect_done
expect_out ""
run consume orders --group audit --exit-at-end --json
expect_equal "$(wc -l <"$work/out")" 8

echo a6 | "$millrace" produce orders --partition 0
run group describe billing
expect_done
expect_out_has "group billing, Empty, 0 members"
expect_equal "$(awk '$1 == "orders" {print $2, $3, $4, $5}' "$work/out" | tr '\n' ';')" "0 5 6 1;1 3 3 0;"
expect_out_has "lag in all 1"
run group describe billing --json
expect_json /partitions/0/lag 1
expect_json /partitions/1/committed_offset 3
expect_json /state Empty

# Shown first, done when asked to.
run group reset billing --topic orders --to-earliest
expect_status 0
expect_err_has "nothing was changed; add --execute to reset group billing"
expect_equal "$(awk '$2 == "orders" {print $3, $4, $5}' "$work/out" | tr '\n' ';')" "0 5 0;1 3 0;"
run group describe billing --json
expect_json /partitions/0/committed_offset 5
run group reset billing --topic orders:0 --to-offset 4 --execute
expect_done
run consume orders --group billing --exit-at-end
expect_out "a5
a6"
run group reset billing --all-topics --shift-by -1 --execute --json
expect_json /0/new_offset 5
expect_json /1/new_offset 2
run group reset billing --all-topics --to-latest --execute
expect_done
run consume orders --group billing --exit-at-end
expect_out ""
run group reset billing --topic orders:1 --to-datetime -1h --dry-run --json
expect_json /0/new_offset 0
run group reset billing --topic orders:1 --by-duration PT0S --dry-run --json
expect_json /0/new_offset 3
run group reset new --topic returns --to-earliest --execute
expect_done
run group reset none --all-topics --to-earliest
expect_failure 1 "there is no group none"
run group reset billing --topic orders:2 --to-earliest
expect_failure 1 "topic orders has partitions 0 to 1"

# Where a group begins.
run consume orders --group late --offset-reset latest --exit-at-end
expect_out ""
run consume orders --group strict --offset-reset none --exit-at-end
expect_failure 1 "has committed no offset for it and auto_offset_reset is none"

# A group that another process has at work.
start consume orders --group billing --format '%s\n' --instance-id one
echo x >/dev/null
for _ in $(seq 600); do
  run group describe billing
  grep -q Stable "$work/out" && break
  sleep 0.1
done
expect_out_has "group billing, Stable, 1 member, cooperative-sticky"
expect_out_has "one-"
run group list --json
expect_json /1/state Stable
run group reset billing --all-topics --to-earliest --execute
expect_failure 1 "it is in use by process"
run group delete billing
expect_failure 1 "it is in use by process"
run consume orders --group billing
expect_failure 1 "it is in use by process"
"$millrace" group describe billing --watch --json >"$work/watched" 2>&1 &
watcher=$!
started+=("$watcher")
for _ in $(seq 600); do
  [ "$(wc -l <"$work/watched")" -ge 2 ] && break
  sleep 0.1
done
expect_equal "$(($(wc -l <"$work/watched") >= 2))" 1
kill -INT "$watcher"
await "$watcher"
expect_status 0
kill -INT "$pid"
await "$pid"
expect_status 0

run group delete billing unknown
expect_failure 1 "there is no group unknown"
run group delete billing audit
expect_done
run group list
expect_equal "$(awk 'NR > 1 {print $1}' "$work/out" | tr '\n' ' ')" "late new strict "

# The command line.
run group reset billing --to-earliest
expect_failure 2 "needs at least one of --topic, --all-topics"
run group reset billing --topic orders
expect_failure 2 "needs at least one of --to-earliest"
run group reset billing --topic orders --to-earliest --to-latest
expect_failure 2 "cannot be together"
run group reset billing --topic orders --to-earliest --execute --dry-run
expect_failure 2 "cannot be together"
run group reset billing --topic orders --by-duration soon
expect_failure 2 '"soon" is not a duration'
run group reset billing --topic 'orders:x' --to-earliest
expect_failure 2 '"x" is not right'
run consume orders --group g --partition 1
expect_failure 2 "cannot be together"
run consume orders --group g --offset 1
expect_failure 2 "cannot be together"
run consume orders --assignor range
expect_status 2
run consume orders --group g --assignor best
expect_failure 2 'there is no assignor "best"'
run group
expect_failure 2 "list, describe, reset, delete"

finish
