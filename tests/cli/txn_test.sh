#!/usr/bin/env bash
# produce --transactional-id, consume --isolation, txn list, describe, abort.
source "$(dirname "$0")/library.sh" "$1" "$2"
leave_open=$3

committed() { run consume "$1" --exit-at-end "${@:2}"; }
uncommitted() { run consume "$1" --exit-at-end --isolation read_uncommitted "${@:2}"; }
# Everything in the directory, and what each file holds; but for the word that sleepers wait on.
fingerprint() { (cd "$MILLRACE_DATA" && find . -type f ! -name wake | sort | xargs cksum); }
records() { "$millrace" consume orders --partition 1 --exit-at-end --isolation read_uncommitted | wc -l; }
# Starts a producer under the id "import", and waits until another process sees its two records.
start_open() {
  local wanted=$(($(records) + 2))
  feed=yes start produce orders --partition 1 --transactional-id import --config linger.ms=0 "$@"
  printf 'x\ny\n' >&8
  for _ in $(seq 600); do
    [ "$(records)" -eq "$wanted" ] && "$millrace" txn list --state Ongoing | grep -q '^import ' &&
      return
    sleep 0.1
  done
  fail "no transaction came"
}
kill_it() {
  kill -KILL "$pid"
  await "$pid"
  exec 8>&- 7<&-
}

run topic create orders --partitions 2
run txn list
expect_done
expect_out "TRANSACTIONAL-ID  STATE  PRODUCER-ID  EPOCH  TIMEOUT-MS  PARTITIONS  SINCE"
run txn list --json
expect_out "[]"
run txn describe import
expect_failure 1 "there is no transactional id import"
run txn abort import
expect_failure 1 "there is no transactional id import"
expect_equal "$(ls "$MILLRACE_DATA" | grep -c transaction)" 0

# All of the input at once.
seq 3 >"$work/input"
run produce orders --partition 0 --transactional-id import --report <"$work/input"
expect_done
expect_out "0 0
0 1
0 2"
committed orders
expect_out "1
2
3"
run txn list
expect_equal "$(awk 'NR == 2 {print $1, $2, $4, $5, $6}' "$work/out")" "import CompleteCommit 0 60000 0"
run produce orders --transactional-id import </dev/null
expect_done
run txn describe import --json
expect_json /state Empty
expect_json /producer_epoch 1
expect_json /started null

# Several transactions, of which the last one has what is left.
seq 4 8 >"$work/input"
run produce orders --partition 0 --transactional-id import --transaction-records 2 \
  --config batch.size=1 <"$work/input"
expect_done
run log dump "$MILLRACE_DATA/orders-0"
expect_equal "$(grep -o 'isControl: [a-z]*' "$work/out" | cut -c12- | uniq -c | awk '{print $1 $2}' | paste -sd ' ')" \
  "1false 1true 2false 1true 2false 1true 1false 1true"

# An error aborts: nothing is reported that is not committed, and nothing of it is seen.
run topic create small --config max.message.bytes=2000
{ seq 4; head -c 100000 /dev/urandom | base64 -w 0; echo; echo after; } >"$work/input"
run produce small --transactional-id import --report --transaction-records 2 <"$work/input"
expect_status 1
expect_out "0 0
0 1
0 3
0 4"
expect_err_has "record 5 was not appended"
expect_err_has "; the transaction is aborted, 4 records of those before it are committed"
run produce small --transactional-id import --report <"$work/input"
expect_failure 1 "0 records of those before it are committed"
committed small
expect_out "1
2
3
4"
uncommitted small
expect_out "1
2
3
4
1
2
3
4"

# So does a signal.
start_open --report
committed orders --partition 1
expect_out ""
uncommitted orders --partition 1
expect_out "x
y"
run txn list --state Ongoing --json
expect_json /0/transactional_id import
expect_json /0/partition_count 1
run txn list --state CompleteCommit --json
expect_out "[]"
run txn list --state CompleteCommit --state Ongoing --json
expect_json /0/state Ongoing
run txn describe import
expect_done
expect_equal "$(grep -A 1 FIRST-OFFSET "$work/out" | tail -n 1 | tr -s ' ')" "orders 1 0"
expect_out_has "its owner aborts it at 20"
run txn abort import
expect_failure 1 "it is in use by process $pid"
expect_err_has "while that one runs it alone can abort the transaction of import, and does at 20"
kill -INT "$pid"
await "$pid"
expect_status 1
expect_equal "$(cat "$work/start.err")" "millrace: stopped by a signal; the transaction is aborted,\
 0 records of those before it are committed"
expect_equal "$(cat <&7)" ""
exec 8>&- 7<&-
committed orders --partition 1
expect_out ""
uncommitted orders --partition 1
expect_out "x
y"
run txn describe import --json
expect_json /state CompleteAbort

# What a killed producer had begun can be looked at, and stays as it is until somebody owns the
# directory.
start_open
kill_it
before=$(fingerprint)
for _ in 1 2; do
  run txn list --state Ongoing --json
  expect_json /0/transactional_id import
  run txn describe import --json
  expect_json /partitions/0/topic orders
  expect_json /partitions/0/partition 1
  expect_json /partitions/0/first_offset 3
done
committed orders --partition 1
expect_out ""
expect_equal "$(fingerprint)" "$before"
# What would abort nothing does not open the directory: the others would go with it.
run txn abort other
expect_failure 1 "there is no transactional id other"
expect_equal "$(fingerprint)" "$before"
run txn abort import
expect_done
expect_out_has "aborted import: producer "
expect_equal "$(wc -l <"$work/out")" 1
run txn abort import
expect_failure 1 "transactional id import has no open transaction: it is CompleteAbort"
echo z | "$millrace" produce orders --partition 1
committed orders --partition 1
expect_out z
uncommitted orders --partition 1 --json
expect_equal "$(wc -l <"$work/out")" 5

# Any owner ends it.
start_open
kill_it
echo ours | "$millrace" produce orders --partition 1
run txn list --state Ongoing --json
expect_out "[]"
committed orders --partition 1
expect_out "z
ours"

# Who aborts one aborts all, and says so.
"$leave_open" "$MILLRACE_DATA" orders one two three || fail "leave_open"
run txn list --state Ongoing
expect_equal "$(awk 'NR > 1 {print $1}' "$work/out" | paste -sd ' ')" "one three two"
run txn abort two
expect_done
expect_equal "$(sed 's/: .*//' "$work/out")" "aborted one, which was open too
aborted three, which was open too
aborted two"
run txn list --state CompleteAbort
expect_equal "$(awk '/^(one|two|three) / {print $1}' "$work/out" | paste -sd ' ')" "one three two"

# A transaction that takes too long is aborted, and its producer hears why.
feed=yes start produce orders --partition 1 --transactional-id slow --config linger.ms=0 \
  --config transaction.timeout.ms=300
echo late >&8
for _ in $(seq 600); do
  run txn list --state CompleteAbort --json
  grep -q slow "$work/out" && break
  sleep 0.1
done
expect_out_has slow
exec 8>&-
await "$pid"
exec 7<&-
expect_status 1
expect_equal "$(grep -c 'give a longer --config transaction.timeout.ms' "$work/start.err")" 1
committed orders --partition 1
expect_out "z
ours"

# Where the data of a commit over several partitions ends is part of the decision.
run topic create pair --partitions 2
printf '0\n1\n' >"$work/input"
run produce pair --transactional-id pair --config partitioner=round_robin <"$work/input"
expect_done
run log dump "$MILLRACE_DATA" --records
expect_out_has '"transactionStatus":"PrepareCommit","transactionPartitions":[{"topic":"pair","partition":0},{"topic":"pair","partition":1}]'
expect_out_has '"dataEnds":[{"topic":"pair","partition":0,"endOffset":1},{"topic":"pair","partition":1,"endOffset":1}]'
run topic delete pair

# What the directory says of all this: its own topics, markers, producers, aborted transactions.
run produce orders --partition 0 --transactional-id import <"$work/input" >/dev/null
echo k | "$millrace" consume orders --group readers --exit-at-end >/dev/null
run log dump "$MILLRACE_DATA" --records --indexes
expect_done
cp "$work/out" "$work/dump"
expect_out_has ' key: {"transactionalId":"import"} payload: {"producerId":'
expect_out_has '"transactionStatus":"Ongoing","transactionPartitions":[{"topic":"orders","partition":1}]'
expect_out_has ' key: {"group":"readers","topic":"orders","partition":0} payload: {"offset":'
expect_out_has ' key: {"group":"readers"} payload: {"protocolType":"consumer"'
expect_out_has ' endTxnMarker: COMMIT coordinatorEpoch: 0'
expect_out_has ' endTxnMarker: ABORT coordinatorEpoch: 0'
run txn describe import --json
producer=$("$json_value" /producer_id <"$work/out")
expect_equal "$(grep -A 1 '00.txnindex' "$work/dump" | grep -c \
  "^producerId: $producer firstOffset: 0 lastOffset: 2 lastStableOffset: 3$")" 1
expect_equal "$(grep -c "^producerId: $producer producerEpoch: [0-9]* coordinatorEpoch: 0 \
currentTxnFirstOffset: None lastTimestamp: " "$work/dump")" \
  "$(ls "$MILLRACE_DATA"/{orders,small}-*/*.snapshot | wc -l)"
run log dump "$MILLRACE_DATA" --records --json --partition __transaction_state-3
expect_done
head -n 2 "$work/out" | tail -n 1 >"$work/one"
cp "$work/one" "$work/out"
expect_json /decoded_key/transactionalId import
expect_json /decoded_value/transactionStatus Empty
run log dump "$MILLRACE_DATA" --indexes --json --offsets 1:2 --partition orders-1
grep aborted_transaction "$work/out" >"$work/one"
cp "$work/one" "$work/out"
expect_json /firstOffset 0
expect_equal "$(wc -l <"$work/one")" 1
# What cannot be read is said, and what can be is shown.
printf x | dd of="$MILLRACE_DATA/orders-1/00000000000000000000.txnindex" conv=notrunc status=none
run log dump "$MILLRACE_DATA" --indexes --partition orders-1
expect_status 1
expect_err_has 00000000000000000000.txnindex
expect_out_has "currentTxnFirstOffset: None"

# The command line.
run txn
expect_failure 2 "list, describe, abort"
run txn list --state Open
expect_failure 2 '"Open" is no state of a transaction; there are Empty, Ongoing'
run txn describe
expect_failure 2 "ID is missing"
run txn abort
expect_failure 2 "ID is missing"
run produce orders --transaction-records 5
expect_status 2
run produce orders --transactional-id p --transaction-records 0
expect_failure 2 "give a whole number of at least 1"
run produce orders --transactional-id ''
expect_failure 2 "must not be empty"
run produce orders --transactional-id p --idempotent false
expect_failure 2 "a transaction's batches must be idempotent"
run produce orders --transactional-id p --config enable.idempotence=false
expect_failure 2 "a transaction's batches must be idempotent"
run produce orders --idempotent maybe
expect_failure 2 "give true or false"
run produce orders --config transaction.timeout.ms=100
expect_failure 2 "transaction.timeout.ms needs --transactional-id"
run produce orders --transactional-id p --config transaction.timeout.ms=0 </dev/null
expect_failure 1 "is not within 1 to 900000 ms"

run topic create plain
echo a | "$millrace" produce plain --idempotent false
echo b | "$millrace" produce plain --idempotent true --config enable.idempotence=false
run log dump "$MILLRACE_DATA/plain-0"
expect_equal "$(grep -o 'baseSequence: [-0-9]*' "$work/out" | paste -sd ' ')" \
  "baseSequence: -1 baseSequence: 0"

finish
