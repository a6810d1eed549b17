#!/usr/bin/env bash
# consume: where it starts and stops, what it prints, how it ends.
source "$(dirname "$0")/library.sh" "$1"

run topic create t --partitions 2
for i in 0 1 2 3 4; do printf 'k%s:v%s\n' $i $i | "$millrace" produce t --key-separator : --partition 0; done
printf 'x0\nx1\n' | "$millrace" produce t --partition 1

read_0() { run consume t --partition 0 --exit-at-end "$@"; }
all=$'v0\nv1\nv2\nv3\nv4'
read_0
expect_done
expect_out "$all"
read_0 --from-beginning
expect_out "$all"
read_0 --offset 3
expect_out $'v3\nv4'
read_0 --offset 5
expect_done
expect_out ""
read_0 --offset -2
expect_out $'v3\nv4'
read_0 --offset -9223372036854775808
expect_out "$all"
read_0 --end
expect_out ""
for offset in 6 9223372036854775807; do
  read_0 --offset $offset
  expect_failure 1 "t-0 has offsets from 0 up to, not including, 5: it cannot be read from $offset"
done
run consume t --offset 4
expect_failure 1 "t-1 has offsets from 0 up to, not including, 2"
expect_err_has "--partition"
run consume t --partition 2
expect_failure 1 "topic t has partitions 0 to 1, not 2"
run consume nobody
expect_failure 1 "there is no topic nobody"
expect_err_has "millrace topic create nobody"
run --data "$work/nowhere" consume t
expect_failure 1 "$work/nowhere"

run consume t --exit-at-end
expect_equal "$(sort "$work/out" | tr '\n' ' ')" "v0 v1 v2 v3 v4 x0 x1 "
run consume t --partition 1 --partition 0 --exit-at-end
expect_equal "$(sort "$work/out" | tr '\n' ' ')" "v0 v1 v2 v3 v4 x0 x1 "
run consume t --partition 0 --max-records 2
expect_done
expect_out $'v0\nv1'
run consume t --partition 0 --max-records 2 --offset 3 --follow
expect_out $'v3\nv4'
read_0 --max-records 0
expect_done
expect_out ""
read_0 --max-records 100
expect_out "$all"

# Times. Record 2 is later than record 1 by at least what the loop waited for.
run topic create timed
stamp_of() { "$millrace" consume timed --exit-at-end --offset "$1" --max-records 1 --format %T; }
echo early | "$millrace" produce timed
early=$(stamp_of 0)
until [ "$(date +%s)" -gt $((early / 1000 + 1)) ]; do :; done
echo late | "$millrace" produce timed
late=$(stamp_of 1)
rfc() { date -u -d "@$(($1 / 1000))" +"%Y-%m-%dT%H:%M:%S.$(printf %03d $(($1 % 1000)))$2"; }
from() { run consume timed --exit-at-end --from-time "$1"; expect_done; expect_out "$2"; }
both=$'early\nlate'
from 0 "$both"
from "$early" "$both"
from $((early + 1)) late
from "$late" late
from $((late + 1)) ""
from "$(rfc "$early" Z)" "$both"
from "$(rfc $((early + 1)) Z)" late
from "$(rfc $((late + 1)) +00:00)" ""
from "$(rfc $((early + 1 + 90 * 60000)) +01:30)" late
from "$(rfc $((early + 1 - 90 * 60000)) -01:30)" late
from "$(rfc "$early" '')" "$both"
from "$(date -u -d "@$((early / 1000))" +%Y-%m-%d)" "$both"
from 1970-01-01 "$both"
from 1971-02-03T04:05:06Z "$both"
from 2200-01-01T00:00Z ""
from -1h "$both"
from -100000d "$both"
from now ""
from -0s ""

# What is printed.
run topic create f
printf 'key\tvalue\n' | "$millrace" produce f --key-separator '\t' --headers h1=a,h2=b
printf 'plain\nNULL\n' | "$millrace" produce f --null-value NULL
stamp=$("$millrace" consume f --exit-at-end --max-records 1 --format %T)
now=$(date +%s)
checks=$((checks + 1))
[ $((now - stamp / 1000)) -ge 0 ] && [ $((now - stamp / 1000)) -lt 3600 ] || fail "time $stamp"
run consume f --exit-at-end --format '%t|%p|%o|%k|%s|%K|%S|%h|100%%|\t\x41\\\n'
expect_done
expect_out $'f|0|0|key|value|3|5|h1=a,h2=b|100%|\tA\\
f|0|1||plain|-1|5||100%|\tA\\
f|0|2|||-1|-1||100%|\tA\\'
run consume f --exit-at-end --null-value nil --format '%k=%s;'
expect_out "key=value;nil=plain;nil=nil;"
"$millrace" consume f --exit-at-end --format '%R%s' >"$work/framed"
printf '\0\0\0\x05value\0\0\0\x05plain\xff\xff\xff\xff' >"$work/expected"
expect_same_file "$work/framed" "$work/expected"
run consume f --exit-at-end --format ''
expect_done
expect_out ""

run consume f --exit-at-end --json
expect_done
expect_equal "$(sed 's/"timestamp":[0-9]*/"timestamp":T/' "$work/out")" \
  '{"topic":"f","partition":0,"offset":0,"timestamp":T,"key":"key","value":"value","headers":[{"key":"h1","value":"a"},{"key":"h2","value":"b"}]}
{"topic":"f","partition":0,"offset":1,"timestamp":T,"key":null,"value":"plain","headers":[]}
{"topic":"f","partition":0,"offset":2,"timestamp":T,"key":null,"value":null,"headers":[]}'
run topic create j
# Quotes and controls; UTF-8 of 2, 3, 4 bytes; then what is not UTF-8: a byte alone, an overlong
# form, a surrogate, beyond Unicode, a sequence cut short.
printf '"\\\b\x01\t/\n\xc3\xa4\xe2\x82\xac\xf0\x9f\x98\x80\n\xff\nab\xc0\xaf\n\xed\xa0\x80\n\xf4\x90\x80\x80\n\xe2\x82\n' |
  "$millrace" produce j
printf '\xfe:\xfd\n' | "$millrace" produce j --key-separator : --header "$(printf 'h=\xfc')"
run consume j --exit-at-end --json
expect_equal "$(grep -o '"key":.*' "$work/out")" '"key":null,"value":"\"\\\b\u0001\t/","headers":[]}
"key":null,"value":"'$'\xc3\xa4\xe2\x82\xac\xf0\x9f\x98\x80''","headers":[]}
"key":null,"value":"/w==","value_encoding":"base64","headers":[]}
"key":null,"value":"YWLArw==","value_encoding":"base64","headers":[]}
"key":null,"value":"7aCA","value_encoding":"base64","headers":[]}
"key":null,"value":"9JCAgA==","value_encoding":"base64","headers":[]}
"key":null,"value":"4oI=","value_encoding":"base64","headers":[]}
"key":"/g==","key_encoding":"base64","value":"/Q==","value_encoding":"base64","headers":[{"key":"h","value":"/A==","value_encoding":"base64"}]}'

# Pipes that are closed, and output that cannot be written.
run topic create big
seq 200000 | "$millrace" produce big
"$millrace" consume big 2>"$work/err" | head -n 2 >"$work/out"
expect_equal "${PIPESTATUS[0]} $(tr '\n' ' ' <"$work/out")$(cat "$work/err")" "0 1 2 "
"$millrace" consume t --follow 2>"$work/err" | head -n 1 >"$work/out"
expect_equal "${PIPESTATUS[0]}$(cat "$work/err")" 0
"$millrace" consume big >&- 2>"$work/err"
expect_equal "$?$(cat "$work/err")" 0
"$millrace" consume big --exit-at-end >/dev/full 2>"$work/err"
expect_equal $? 1
expect_err_has "writing to standard output"

# Ctrl-C: what was read is printed, and all is well.
start consume t --partition 0
for i in 0 1 2 3 4; do next_line 7; done
expect_equal "$line" v4
kill -INT "$pid"
await "$pid"
expect_status 0
expect_equal "$(cat <&7)$(cat "$work/start.err")" ""
# Also when it is stuck because nobody reads its pipe.
start consume big
next_line 7
kill -TERM "$pid"
await "$pid"
expect_status 0
exec 7<&-

# A damaged record: told where, and what is around it can be read.
run topic create d
for i in 0 1 2; do echo "record-$i" | "$millrace" produce d; done
log=$(echo "$MILLRACE_DATA"/d-0/*.log)
at=$(grep -abo record-1 "$log" | cut -d: -f1)
printf X | dd of="$log" bs=1 seek="$at" conv=notrunc status=none
run consume d --exit-at-end
expect_status 1
expect_out record-0
expect_err_has "d-0"
expect_err_has "[1, 2)"
expect_err_has "--skip-damaged"
run consume d --exit-at-end --skip-damaged
expect_status 0
expect_out $'record-0\nrecord-2'
expect_err_has "skipped: "

finish
