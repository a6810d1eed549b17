#!/usr/bin/env bash
# log verify, dump and repair, on every state in which a directory can be found.
source "$(dirname "$0")/library.sh" "$@"

data=$work/data
first=00000000000000000000

# A copy of the closed log in $1; it has other files, as if the machine had been started anew.
copy() { rm -rf "$data"; cp -r "$work/$1" "$data"; }
# Puts 16 bytes of 0xff at position $2 of file $1.
spoil() { printf '\xff%.0s' {1..16} | dd of="$1" bs=1 seek="$2" conv=notrunc status=none; }
log_of() { echo "$data/orders-0/$1.log"; }
segments() { basename -s .log -a "$data"/orders-0/*.log; }

# verify: exit code $1, says each of the other texts.
expect_verify() {
  local code=$1 text
  shift
  run log verify "$data"
  expect_status "$code"
  for text in "$@"; do expect_out_has "$text"; done
  [ "$code" -eq 0 ] || expect_err_has "millrace log repair $data"
}
# What can be read; it must be the same before and after a repair.
consume() { run consume orders --exit-at-end --skip-damaged --format '%o %k %s\n'; }
# A repair after which the log is in order, or ($1 = 1) has no worse than holes, and reads as
# before.
expect_mended() {
  local code=$1
  run log dump "$data" --records
  grep '^| offset' "$work/out" >"$work/before"
  run log repair "$data" --dry-run
  expect_status 0
  expect_out_has "a dry run: nothing was changed"
  expect_out_has "orders-0: a repair would leave it so:"
  expect_equal "$(grep -c 'cannot be read$' "$work/out")" 0
  cp -r "$data" "$work/untouched"
  run log repair "$data"
  expect_done
  diff -rq "$work/untouched" "$data" >/dev/null && fail "the repair changed nothing"
  rm -rf "$work/untouched"
  run log verify "$data"
  expect_status "$code"
  run log dump "$data" --records
  expect_done
  grep '^| offset' "$work/out" >"$work/after"
  expect_same_file "$work/before" "$work/after"
  run log repair "$data"
  expect_done
}

# Closed: several segments, keys, a record that is no text.
run topic create orders --config segment.bytes=1048576
seq 30000 | awk '{printf "key %d\tvalue %d %060d\n", $1, $1, 0}' |
  "$millrace" produce orders --key-separator '\t' || fail "produce"
printf 'k\t\xff\x01\\\n' | "$millrace" produce orders --key-separator '\t' || fail "produce"
cp -r "$data" "$work/closed"
checks=$((checks + 1))
[ "$(segments | wc -l)" -ge 3 ] || fail "too few segments"
second=$(segments | sed -n 2p)
newest=$(segments | tail -n 1)

expect_verify 0 "orders-0: ok; offsets [0, 30001), 30,001 records in" "1 partition, 30,001 records,"
expect_equal "$(wc -l <"$work/out")" 2
diff -r "$work/closed" "$data" --exclude=.lock || fail "verify changed something"
run log verify --json
expect_done
for pointer in /notes /problems /damage /partitions/0/log_start_offset \
  /partitions/0/segments/0/base_offset; do
  expect_json $pointer 0
done
expect_json /partitions/0/partition orders-0
expect_json /partitions/0/state closed
expect_json /partitions/0/records 30001
expect_json /partitions/0/log_end_offset 30001
expect_json /partitions/0/findings "[]"
expect_json /partitions/0/segments/0/next_offset $((10#$second))
run log verify "$data/orders-0"
expect_done
expect_out_has "orders-0: ok; offsets [0, 30001)"
program=$(realpath "$millrace")
(cd "$data/orders-0" && "$program" log verify . >"$work/out") || fail "verify ."
expect_out_has "orders-0: ok; offsets [0, 30001)"
run log repair "$data"
expect_done
expect_out "orders-0: nothing to do"

# dump: batches, records, indexes, ranges.
run log dump "$data"
expect_done
expect_equal "$(head -n 1 "$work/out")" "Dumping orders-0/$first.log"
expect_equal "$(grep -c '^Dumping' "$work/out")" "$(segments | wc -l)"
expect_out_has "baseOffset: 0 lastOffset: "
expect_out_has " position: 0 CreateTime: "
expect_out_has " producerId: 0 producerEpoch: 0 partitionLeaderEpoch: 0 isTransactional: false"
expect_out_has " producerId: 1000 producerEpoch: 0 "
expect_out_has " compresscodec: none crc: "
expect_equal "$(grep baseOffset "$work/out" | grep -cv 'isvalid: true$')" 0
expect_equal "$(grep -o 'count: [0-9]*' "$work/out" | awk '{n += $2} END {print n}')" 30001
run log dump "$data" --records --offsets 29999:
expect_done
expect_equal "$(grep -c '^| offset' "$work/out")" 2
expect_out_has "| offset: 29999 CreateTime: "
expect_out_has "keySize: 9 valueSize: 72 sequence: 29999 headerKeys: [] key: key 30000 payload: value"
expect_out_has 'key: k payload: \xff\x01\\'
run log dump "$data" --records --offsets 10:12 --json
expect_done
expect_equal "$(grep -c '"type":"batch"' "$work/out")" 1
expect_equal "$(grep -c '"type":"record"' "$work/out")" 2
expect_out_has '"crc_ok":true'
expect_out_has '"offset":11,'
expect_out_has '"key":"key 12","value":"value 12 00'
run log dump "$data" --records --offsets 30000: --json
expect_out_has '"value":"/wFc","value_encoding":"base64"'
run log dump "$data" --indexes
expect_done
expect_out_has "Dumping orders-0/$first.index"
expect_out_has "Dumping orders-0/$second.timeindex"
expect_equal "$(grep -c '^offset: ' "$work/out")" \
  "$(cat "$data"/orders-0/*.index | wc -c | awk '{print $1 / 8}')"
expect_equal "$(grep -c '^timestamp: ' "$work/out")" \
  "$(cat "$data"/orders-0/*.timeindex | wc -c | awk '{print $1 / 12}')"
"$millrace" log dump "$data" --records | head -n 1 >/dev/null
expect_equal "${PIPESTATUS[0]}" 0
run log dump "$data" --offsets 7
expect_failure 2 '"7" is not of the form FROM:TO'
run log dump "$data" --offsets :x
expect_failure 2 'is not of the form FROM:TO'
run log dump "$data" --offsets 5:3
expect_failure 2 "ends before it begins"

# One partition of several.
run topic create spread --partitions 3
run log verify --partition spread-2 --partition orders-0
expect_done
expect_equal "$(cut -d: -f1 "$work/out" | head -n 2 | tr '\n' ' ')" "orders-0 spread-2 "
run log verify --partition 7
expect_failure 1 "there is no partition 7 in $data; it has: orders-0, spread-0, spread-1, spread-2"

# Owned: whoever wants the files for themselves is told by whom.
feed=1 start produce orders --report
echo one >&8
next_line 7
for command in verify dump repair; do
  run log $command "$data"
  expect_failure 1 "it is in use by process $pid"
  expect_err_has "as millrace consume does; millrace log wants it for itself"
  run log $command "$data/orders-0"
  expect_failure 1 "it is in use by process $pid"
done

# Killed: normal, a note; opening is enough, a repair does no harm.
kill -KILL "$pid"
await "$pid"
exec 8>&- 7<&-
run log verify
expect_status 0
expect_out_has "orders-0: ok, "
expect_out_has "note: the log was not closed in order: its owner is at work, or was killed"
cp -r "$data" "$work/killed"
expect_mended 0
consume
expect_done
expect_equal "$(wc -l <"$work/out")" 30002
run log verify
expect_status 0

# The same after a loss of power, with a torn append behind the end.
copy killed
run log verify "$data" --json
end=$("$json_value" /partitions/0/segments/2/bytes <"$work/out")
head -c 100 "$data/orders-0/$first.log" |
  dd of="$(log_of "$newest")" bs=1 seek="$end" conv=notrunc status=none
expect_verify 0 "was stopped by a loss of power" \
  "are behind the end of the log: an append that a crash"
expect_mended 0
consume
expect_equal "$(wc -l <"$work/out")" 30002

# Damaged in the middle.
copy closed
spoil "$(log_of "$first")" 500000
expect_verify 1 "orders-0: DAMAGED in 1 place; offsets [0, 30001)" \
  "damage: " " of $first.log are damaged: offsets [" "restore the file from a copy"
run log verify "$data" --json
expect_json /damage 1
expect_json /partitions/0/findings/0/kind damaged_batches
expect_json /partitions/0/findings/0/severity damage
expect_equal "$("$json_value" /partitions/0/unreadable/0 <"$work/out")" \
  "$("$json_value" /partitions/0/findings/0/offsets <"$work/out")"
run log dump "$data"
expect_status 1
expect_err_has "came upon 1 range of bytes that cannot be read"
expect_out_has "DAMAGED position: "
expect_out_has "isvalid: false"
cp "$(log_of "$first")" "$work/spoiled.log"
expect_mended 1
position=$(ls "$data/orders-0" | grep -o 'damaged-.*' | cut -d- -f2)
side=$data/orders-0/$first.log.damaged-$position
cmp -n "$(stat -c %s "$side")" "$side" "$work/spoiled.log" 0 "$position" || fail "the side file"
run log verify
expect_out_has "are missing at byte $position"
expect_out_has "note: $first.log.damaged-$position has damaged bytes that a repair took out"
consume
expect_status 0
cp "$work/out" "$work/left"
copy closed
consume
comm -23 <(sort "$work/left") <(sort "$work/out") >"$work/surplus"
expect_equal "$(cat "$work/surplus")" ""
checks=$((checks + 1))
[ "$(wc -l <"$work/left")" -gt 20000 ] || fail "more was lost than was damaged"

# Cut short at the end: what was durable is gone, and the log says so for ever after.
copy closed
truncate -s -20 "$(log_of "$newest")"
expect_verify 1 "DAMAGED" "offsets [30000, 30001)"
expect_mended 1
expect_verify 1 "offsets [0, 30001)"
echo next | "$millrace" produce orders --report 2>/dev/null | grep -qx "0 30001" ||
  fail "a lost offset was given out again"

# Indexes: missing, wrong, cut.
copy closed
rm "$data/orders-0/$first.index" "$data/orders-0/$newest.timeindex"
expect_verify 0 "note: index $first.index is missing" "note: index $newest.timeindex is missing"
expect_mended 0
copy closed
spoil "$data/orders-0/$second.index" 0
expect_verify 1 "problem: index $second.index entry 0" "orders-0: 1 problem"
expect_mended 0
copy closed
truncate -s -5 "$data/orders-0/$second.timeindex"
expect_verify 1 "problem: index $second.timeindex has "
expect_mended 0

# The control file: bad, cut short, missing.
copy closed
spoil "$data/orders-0/control" 0
expect_verify 1 "problem: the control file is incomplete or of another format"
expect_mended 0
copy closed
truncate -s 100 "$data/orders-0/control"
expect_verify 1 "problem: the control file is unreadable"
expect_mended 0
copy closed
rm "$data/orders-0/control"
expect_verify 0 "note: the control file is missing"
expect_mended 0

# The leader epochs.
copy closed
echo rubbish >"$data/orders-0/leader-epoch-checkpoint"
expect_verify 1 "problem: leader-epoch-checkpoint is damaged"
expect_mended 0

# An exchange of files that stopped when the new log was in place, and before.
copy closed
cat "$data/orders-0/$second.log" >>"$(log_of "$first")"
third=$(segments | sed -n 3p)
printf '0\n1\n0 %s\n' $((10#$third)) >"$data/orders-0/segment-exchange"
expect_verify 0 "note: segment-exchange is left over from an exchange of files" \
  "note: $second.log is left over" "offsets [0, 30001), 30,001 records"
expect_mended 0
consume
expect_equal "$(wc -l <"$work/out")" 30001
copy closed
cat "$data/orders-0/$first.log" "$data/orders-0/$second.log" >"$(log_of "$first").cleaned"
printf '0\n1\n0 %s\n' $((10#$third)) >"$data/orders-0/segment-exchange"
expect_verify 0 "note: $first.log.cleaned is left over" "offsets [0, 30001), 30,001 records"
expect_mended 0
# Kafka's way.
copy closed
cat "$data/orders-0/$first.log" "$data/orders-0/$second.log" >"$(log_of "$first").swap"
expect_verify 0 "note: $first.log.swap is left over" "offsets [0, 30001), 30,001 records"
expect_mended 0

# Files that are not ours stay as they are.
copy closed
echo hello >"$data/orders-0/notes.txt"
echo hello >"$data/orders-0/1.log"
expect_verify 0 "orders-0: ok; offsets [0, 30001)"
run log repair
expect_out "orders-0: nothing to do"
expect_equal "$(cat "$data/orders-0/notes.txt" "$data/orders-0/1.log")" $'hello\nhello'

# The data directory's own files.
copy closed
echo rubbish >"$data/topics"
expect_verify 1 "damage: reading the file \"topics\" in" "orders-0: ok; offsets [0, 30001)"
run log repair
expect_status 1
expect_err_has "cannot be repaired: reading the file \"topics\""
copy closed
echo rubbish >"$data/producer-ids"
expect_verify 1 "problem: reading the file \"producer-ids\" in" "orders-0: ok; offsets [0, 30001)"
rm "$data/producer-ids"
expect_verify 0 "orders-0: ok; offsets [0, 30001)"
copy closed
mv "$data/orders-0" "$work/moved"
expect_verify 1 "damage: directory orders-0 is missing" "0 partitions"
copy closed
cp -r "$data/orders-0" "$data/gone-0"
mkdir "$data/gone-0.some-delete"
expect_verify 0 "note: directory gone-0 belongs to no topic" "gone-0.some-delete is of a topic that"

# A partition's directory on its own.
copy closed
mv "$data/orders-0" "$work/alone"
run log verify "$work/alone"
expect_done
expect_out_has "alone: ok; offsets [0, 30001)"

# Empty.
rm -rf "$data"
run topic create orders
expect_verify 0 "orders-0: ok" "offsets [0, 0), 0 records"
run log dump "$data" --records --indexes
expect_done
expect_out ""
run log repair "$data"
expect_done
mkdir "$work/nothing"
for command in verify dump repair; do
  run log $command "$work/nothing"
  expect_failure 1 "$work/nothing is not a millrace data directory: it is empty, so nothing was done"
  expect_err_has "give the directory that --data names, or a partition's in it"
done
expect_equal "$(ls -A "$work/nothing")" ""
run --data "$work/without" topic create t
run --data "$work/without" topic delete t
run log verify "$work/without"
expect_done
expect_out "$work/without has no topics: there is nothing to verify"
run log repair "$work/without"
expect_done
expect_out "$work/without has no topics: nothing to do"
run log verify "$work/without" --json
expect_done
expect_json /partitions "[]"
mkdir "$data/started-0"
run log verify "$data/started-0"
expect_done
expect_out_has "started-0: ok"

# Not ours: a word, and no file left in it.
mkdir "$work/foreign"
echo hello >"$work/foreign/letter"
for command in verify dump repair; do
  run log $command "$work/foreign"
  expect_failure 1 "$work/foreign is not a millrace data directory: it has no meta.properties"
  run log $command "$work/missing"
  expect_failure 1 "$work/missing"
done
expect_equal "$(ls -A "$work/foreign")" letter
copy closed
sed -i 's/millrace.format=.*/millrace.format=99/' "$data/meta.properties"
for command in verify dump repair; do
  run log $command "$data"
  expect_failure 1 "was written in format 99"
  expect_err_has "this millrace knows up to 1; use a newer one"
done
MILLRACE_DATA='' run log verify
expect_failure 2 "no data directory"

# A read-only file system, where mounts of our own are allowed.
copy killed
if unshare -rm mount --bind -o ro "$data" "$data" 2>/dev/null; then
  cat >"$work/read_only.sh" <<'SCRIPT'
mount --bind "$2" "$2" && mount -o remount,ro,bind "$2" || exit 77
touch "$2/x" 2>/dev/null && exit 77
"$1" log verify "$2" && "$1" log dump "$2" --records | tail -n 1 &&
  "$1" log repair "$2" --dry-run && "$1" log repair "$2"
SCRIPT
  unshare -rm bash "$work/read_only.sh" "$millrace" "$data" >"$work/out" 2>"$work/err"
  status=$?
  last="on a read-only file system"
  if [ "$status" -ne 77 ]; then
    expect_status 1
    expect_out_has "orders-0: ok, "
    expect_out_has "payload: one"
    expect_out_has "a dry run: nothing was changed"
    expect_err_has "check the mount and the permissions"
    rm "$data/.lock"
    unshare -rm bash "$work/read_only.sh" "$millrace" "$data" >"$work/out" 2>"$work/err"
    expect_out_has "orders-0: ok, "
  fi
fi

finish
