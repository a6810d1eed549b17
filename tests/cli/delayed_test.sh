#!/usr/bin/env bash
# Delayed records: set by a header, delivered by who owns the directory, seen by others.
source "$(dirname "$0")/library.sh" "$1"

run topic create c --config millrace.delayed.delivery=true --config cleanup.policy=compact
expect_status 1
expect_err_has "does not go together with cleanup.policy=compact"

run topic create t --config millrace.delayed.delivery=true
expect_done
milliseconds() { echo $(($(date +%s%3N) + $1)); }
echo 'in an hour' | "$millrace" produce t --headers millrace.deliver-at="$(milliseconds 3600000)" ||
  fail "produce"
echo now | "$millrace" produce t || fail "produce"
run consume t --exit-at-end --format '%o %s\n'
expect_out '1 now'
run topic alter t --config millrace.delayed.delivery=false
expect_status 1
expect_err_has "cannot change while it has records"

# An attachment sees what the owner delivers.
start consume t --follow --format '%s\n'
exec 9<&7
next_line 9
expect_equal "$line" now
echo soon | "$millrace" produce t --headers millrace.deliver-at="$(milliseconds 300)" ||
  fail "produce"
feed=yes start produce t
next_line 9
expect_equal "$line" soon
exec 8>&-
await "$pid"
finish
