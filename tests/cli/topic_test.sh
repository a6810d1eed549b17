#!/usr/bin/env bash
# topic create, list, describe, alter, delete: what they do and what they refuse.
source "$(dirname "$0")/library.sh" "$1"

run topic list
expect_failure 1 "$MILLRACE_DATA"
expect_err_has "millrace topic create NAME --data $MILLRACE_DATA"

run topic create orders --partitions 3 --config retention.ms=1000 --config segment.bytes=65536
expect_done
expect_out "created topic orders with 3 partitions"
run topic create a.b_c-D
expect_done
expect_out "created topic a.b_c-D with 1 partition"

run topic list
expect_done
expect_out "TOPIC    PARTITIONS  SETTINGS
a.b_c-D  1
orders   3           retention.ms=1000 segment.bytes=65536"
run topic list --json
expect_done
expect_out '[{"name":"a.b_c-D","partitions":1,"settings":{}},{"name":"orders","partitions":3,"settings":{"retention.ms":"1000","segment.bytes":"65536"}}]'

# The same name, and one that Kafka's metrics cannot tell apart.
run topic create orders
expect_failure 1 "topic orders exists already, with 3 partitions"

# There already, as asked for; or otherwise, which is told and changes nothing.
run topic create orders --if-not-exists
expect_done
expect_out ""
run topic create orders --if-not-exists --partitions 3 --config retention.ms=1000 \
  --config cleanup.policy=delete
expect_done
run topic create orders --if-not-exists --partitions 7
expect_status 0
expect_err_has "millrace: topic orders exists already and stays as it is; it has 3 partitions, not 7."
expect_err_has "millrace topic alter orders"
expect_out ""
run topic create a.b_c-D --if-not-exists --partitions 2 --config retention.ms=5
expect_status 0
expect_err_has "it has 1 partition, not 2; its retention.ms is 604800000, not 5."
run topic list --json
expect_out '[{"name":"a.b_c-D","partitions":1,"settings":{}},{"name":"orders","partitions":3,"settings":{"retention.ms":"1000","segment.bytes":"65536"}}]'
run topic create a_b_c-D --if-not-exists
expect_failure 1 "collides with a.b_c-D"

run topic create "$(printf 'y%.0s' {1..249})"
expect_done
run topic delete "$(printf 'y%.0s' {1..249})"
expect_done
run topic describe bad
expect_failure 1 "there is no topic bad"
expect_err_has "millrace topic create bad --partitions 1 --data $MILLRACE_DATA"

printf 'one\ntwo\n' | "$millrace" produce orders --partition 2
run topic describe orders
expect_done
expect_out_has "topic orders, 3 partitions"
expect_out_has "PARTITION  START  END  BYTES"
expect_out_has "0          0      0    0"
expect_equal "$(awk '$1 == "2" {print $2, $3, ($4 > 0)}' "$work/out")" "0 2 1"
expect_equal "$(awk '$1 == "retention.ms" {print $2, $3}' "$work/out")" "1000 topic"
expect_equal "$(awk '$1 == "millrace.flush.policy" {print $2, $3}' "$work/out")" "before_ack default"
expect_out_has "size at which a segment is rolled"
bytes=$(awk '$1 == "2" {print $4}' "$work/out")
run topic describe orders --json
expect_done
expect_out_has '{"name":"orders","partitions":[{"partition":0,"start_offset":0,"end_offset":0,"bytes":0},'
expect_out_has "{\"partition\":2,\"start_offset\":0,\"end_offset\":2,\"bytes\":$bytes}]"
expect_out_has '{"name":"retention.ms","value":"1000","is_default":false,"help":"'

run topic alter orders --config retention.ms=77 --config max.message.bytes=100 --partitions 5
expect_done
run topic list --json
expect_out_has '{"name":"orders","partitions":5,"settings":{"max.message.bytes":"100","retention.ms":"77","segment.bytes":"65536"}}'
run topic alter orders --config retention.ms= --config segment.bytes=
expect_done
run topic list --json
expect_out_has '"settings":{"max.message.bytes":"100"}}'
run topic alter orders --partitions 2
expect_failure 1 "topic orders has 5 partitions"
run topic alter orders --config no.such=
expect_failure 1 'there is no topic setting "no.such"'
run topic alter nobody --config retention.ms=1
expect_failure 1 "there is no topic nobody"

# All topics that are named, or none.
run topic delete orders nobody
expect_failure 1 "there is no topic nobody"
run topic delete orders a.b_c-D
expect_done
run topic list --json
expect_out '[]'
expect_equal "$(find "$MILLRACE_DATA" -mindepth 1 -type d | wc -l)" 0

finish
