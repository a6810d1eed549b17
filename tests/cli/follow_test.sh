#!/usr/bin/env bash
# consume --follow beside producers in other processes, one after another, that come and are killed.
source "$(dirname "$0")/library.sh" "$1"

run topic create t
start consume t --follow --format '%o %s\n'
consumer=$pid
exec 9<&7

# Nobody owns the directory yet; then one process after another does, and is killed.
offset=0
for round in 1 2 3 4; do
  feed=yes start produce t --report
  for i in 1 2 3; do
    echo "round $round record $i" >&8
    next_line 7
    expect_equal "$line" "0 $offset"
    next_line 9
    expect_equal "$line" "$offset round $round record $i"
    offset=$((offset + 1))
  done
  if [ $round = 2 ]; then exec 8>&-; else kill -KILL "$pid"; fi
  await "$pid"
  exec 8>&- 7<&-
done

# A burst through a rolling log.
run topic alter t --config segment.bytes=16384
seq 20000 | "$millrace" produce t || fail "produce"
for i in $(seq 20000); do
  next_line 9 || break
  [ "$line" = "$offset $i" ] || { fail "\"$line\" instead of \"$offset $i\""; break; }
  offset=$((offset + 1))
done
checks=$((checks + 1))

# New partitions are found.
run topic alter t --partitions 3
echo fresh | "$millrace" produce t --partition 2
next_line 9
expect_equal "$line" "0 fresh"
kill -INT "$consumer"
await "$consumer"
expect_status 0

# A follower learns that its topic is gone.
start consume t --follow --partition 2 --from-beginning
next_line 7
expect_equal "$line" "fresh"
run topic delete t
await "$pid"
expect_status 1
expect_equal "$(cat <&7)" ""
expect_equal "$(cat "$work/start.err")" "millrace: topic t was deleted while it was read"

finish
