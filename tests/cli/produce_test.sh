#!/usr/bin/env bash
# produce: what becomes of bytes, keys, headers, options; --report; what is refused.
source "$(dirname "$0")/library.sh" "$1"

consume_all() { run consume "$1" --exit-at-end "${@:2}"; }

run produce t </dev/null
expect_failure 1 "$MILLRACE_DATA"
run topic create t
run produce missing </dev/null
expect_failure 1 "there is no topic missing"
expect_err_has "millrace topic create missing --partitions 1 --data $MILLRACE_DATA"

# Whatever bytes there are come back: all 256, empty lines, a last line without a line break.
for i in {0..255}; do printf "\\x$(printf %02x "$i")"; done >"$work/bytes"
{
  cat "$work/bytes"
  printf '\n\n\r\nsecond\0third\n\n'
  head -c 300000 /dev/urandom
  printf '\nno line break'
} >"$work/input"
"$millrace" produce t <"$work/input" || fail "produce"
consume_all t
expect_done
{ cat "$work/input"; echo; } >"$work/expected"
expect_same_file "$work/out" "$work/expected"

# Nothing in, nothing out.
run topic create empty
run produce empty </dev/null
expect_done
expect_out ""
consume_all empty
expect_done
expect_out ""

# Long lines, up to max.message.bytes and not beyond; what came before stays.
run topic create long
head -c 1000000 /dev/zero | tr '\0' x >"$work/line"
{ cat "$work/line"; echo; cat "$work/line"; } | "$millrace" produce long
consume_all long --format '%S '
expect_out "1000000 1000000 "
{ echo before; cat "$work/line" "$work/line"; echo; echo after; } >"$work/input"
run produce long <"$work/input"
expect_failure 1 "record 2 was not appended"
expect_err_has "max.message.bytes"
consume_all long --offset 2
expect_out before

# Keys. The first separator counts; a line without one has no key.
run topic create keys
printf 'a\tb\tc\nplain\n\tempty key\nempty value\t\n' |
  "$millrace" produce keys --key-separator '\t'
printf 'k\0v\n' | "$millrace" produce keys --key-separator '\0'
printf 'k\x1fv\n' | "$millrace" produce keys --key-separator '\x1f'
printf 'k::v\n' | "$millrace" produce keys --key-separator ::
consume_all keys --format '%K %S [%k|%s]\n'
expect_out '1 3 [a|b	c]
-1 5 [|plain]
0 9 [|empty key]
11 0 [empty value|]
1 1 [k|v]
1 1 [k|v]
1 1 [k|v]'

# Other ends of records, across the pieces in which the input is read.
run topic create paragraphs
{ printf 'one\n.\n\ntwo\n\n\n\n'; head -c 262144 /dev/zero | tr '\0' y; printf '\n\nlast'; } |
  "$millrace" produce paragraphs --record-separator '\n\n'
consume_all paragraphs --format '[%S]'
expect_out "[5][3][0][262144][4]"

# Headers, null values, a partition of one's own choice.
run topic create h --partitions 3
echo x | "$millrace" produce h --headers a=1,b= --header 'c=2,3' --partition 1
printf 'k:NULL\nk:NULLs\n' |
  "$millrace" produce h --key-separator : --null-value NULL --partition 2
consume_all h --partition 1 --format '%p %h %s'
expect_out '1 a=1,b=,c=2,3 x'
consume_all h --partition 2 --format '%S %s\n' --null-value '(null)'
expect_out '-1 (null)
5 NULLs'
run produce h --partition 3 </dev/null
expect_failure 1 "topic h has partitions 0 to 2, not 3"
run topic create compacted --config cleanup.policy=compact
echo keyless >"$work/input"
run produce compacted <"$work/input"
expect_failure 1 "record 1 was not appended"
expect_err_has "key"

# Keys go to the partitions that the Java client chooses.
run topic create murmur --partitions 10
printf '21:\nfoobar:\na-little-bit-long-string:\n' | "$millrace" produce murmur --key-separator :
consume_all murmur --format '%k %p\n'
expect_equal "$(sort "$work/out")" "$(for pair in "21 -973932308" "foobar -790332482" \
  "a-little-bit-long-string -985981536"; do
  set -- $pair
  echo "$1 $((($2 & 0x7fffffff) % 10))"
done | sort)"

# Producer settings.
seq 10000 >"$work/input"
for codec in none gzip snappy lz4 zstd; do
  run topic create "z-$codec"
  if "$millrace" produce "z-$codec" --config compression.type=$codec --config batch.size=16384 \
    --config linger.ms=50 <"$work/input" 2>"$work/err"; then
    consume_all "z-$codec"
    expect_same_file "$work/out" "$work/input"
    run topic describe "z-$codec" --json
    declare "size_$codec=$(grep -oE '"bytes":[0-9]+' "$work/out" | cut -d: -f2)"
  else
    # Only a codec that was not there when the program was built.
    grep -q "as far as they were found" "$work/err" || fail "$codec: $(cat "$work/err")"
  fi
done
checks=$((checks + 1))
[ "${size_gzip:-0}" -lt "$size_none" ] || fail "gzip: ${size_gzip:-} bytes, none: $size_none"
run topic create robin --partitions 4
seq 8 | "$millrace" produce robin --config partitioner=round_robin --config batch.size=1
run topic describe robin --json
expect_equal "$(grep -o '"end_offset":2' "$work/out" | wc -l)" 4
run topic create numbered
seq 3 | "$millrace" produce numbered
seq 3 | "$millrace" produce numbered --config enable.idempotence=false
run log dump "$MILLRACE_DATA/numbered-0" --records
expect_done
expect_equal "$(grep '^| offset' "$work/out" | grep -o 'sequence: [0-9-]*' | paste -sd ' ')" \
  "sequence: 0 sequence: 1 sequence: 2 sequence: -1 sequence: -1 sequence: -1"
run produce numbered --config enable.idempotence=maybe
expect_failure 2 "enable.idempotence takes true or false, not \"maybe\""

# --report: every record once, in order.
run topic create reported --partitions 3
seq 5000 | sed 's/.*/&:&/' |
  "$millrace" produce reported --key-separator : --report >"$work/report" || fail "produce"
consume_all reported --format '%p %o\n'
expect_equal "$(sort "$work/report" | cksum)" "$(sort "$work/out" | cksum)"
for p in 0 1 2; do
  grep "^$p " "$work/report" >"$work/of_one"
  expect_equal "$(sort -n -k2 "$work/of_one" | cksum)" "$(cksum <"$work/of_one")"
done

# At once, not when the input ends.
feed=yes start produce reported --partition 0 --report
first=
for i in 1 2 3; do
  echo "$i" >&8
  next_line 7
  [ -n "$first" ] || first=${line#0 }
  expect_equal "$line" "0 $((first + i - 1))"
done
exec 8>&- 7<&-
await "$pid"
expect_status 0

# Nobody reads the report: not done, and it says so.
run topic create unread
yes | "$millrace" produce unread --report 2>"$work/err" | head -n 1 >/dev/null
expect_equal "${PIPESTATUS[1]}" 1
expect_err_has "nobody reads the report any more"
yes | head -n 100 | "$millrace" produce unread --report >/dev/full 2>"$work/err"
expect_equal "${PIPESTATUS[2]}" 1
expect_err_has "writing to standard output"
run produce unread <&-
expect_failure 1 "standard input"

# Told to stop: what was read is acknowledged, and it says that this was not all.
run topic create stopped
feed=yes start produce stopped --report
printf 'one\ntwo\nhal' >&8
next_line 7
next_line 7
expect_equal "$line" "0 1"
kill -INT "$pid"
await "$pid"
expect_status 1
expect_equal "$(cat "$work/start.err")" \
  "millrace: stopped by a signal; the 2 records read so far are acknowledged"
exec 8>&- 7<&-
consume_all stopped
expect_out "one
two"

finish
