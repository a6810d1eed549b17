# Our own program as a client: every subcommand with --bootstrap.
. "$(dirname "$0")/library.sh" "$@"
start_server
at() { "$millrace" --bootstrap "$address" "$@"; }
# refused EXIT-CODE TEXT COMMAND...
refused() {
  local code=$1 text=$2 got=0
  shift 2
  at "$@" </dev/null >"$work/out" 2>"$work/err" || got=$?
  check "exit code of $*" "$got" "$code"
  grep -qF -- "$text" "$work/err" || fail "$*: wanted '$text', got '$(cat "$work/err")'"
}

check "created" "$(at topic create orders --partitions 3 --config retention.ms=86400000)" \
  "created topic orders with 3 partitions"
refused 1 "TOPIC_ALREADY_EXISTS" topic create orders
refused 0 "it has 3 partitions, not 2" topic create orders --partitions 2 --if-not-exists
refused 1 "there is no topic order " topic describe order
check "listed" "$(at topic list | tail -1 | tr -s ' ')" "orders 3 retention.ms=86400000"
at topic alter orders --config segment.ms=3600000 --config retention.ms= --partitions 4
check "altered" "$(at topic list --json)" \
  '[{"name":"orders","partitions":4,"settings":{"segment.ms":"3600000"}}]'

# Keys go where they go in a directory, whichever way they came.
printf 'alice\t1\nbob\t2\ncarol\t3\n\t4\nnobody\n' | at produce orders --key-separator '\t' \
  --headers host=web1,level=info --null-value nobody --config compression.type=zstd --report >"$work/report"
check "acknowledged" "$(wc -l <"$work/report")" 5
format='%p:%o %k=%s %h\n'
at consume orders --exit-at-end --format "$format" --null-value - | sort >"$work/remote"
"$millrace" --data "$work/data" consume orders --exit-at-end --format "$format" --null-value - |
  sort >"$work/local"
check "the same, read through the map" "$(cat "$work/remote")" "$(cat "$work/local")"
check "all of them" "$(wc -l <"$work/remote")" 5
check "described" "$(at topic describe orders --json | grep -o '"end_offset":[0-9]*' | tr -dc '0-9\n' |
  paste -sd+ | bc)" 5
refused 1 "cannot be read from 99" consume orders --offset 99 --exit-at-end
refused 1 "there is no partition 9" consume orders --partition 9 --exit-at-end
refused 1 "there is no partition 9" produce orders --partition 9

# Many records in many batches, in order.
seq 100000 | at produce orders --partition 0 --idempotent true
check "in order" "$(at consume orders --partition 0 --offset -100000 --exit-at-end | md5sum)" \
  "$(seq 100000 | md5sum)"
check "a few" "$(at consume orders --partition 0 --offset -2 --max-records 1)" 99999
check "by time" "$(at consume orders --from-time -1h --exit-at-end | wc -l)" 100005

# It follows what comes, and stops in order.
"$millrace" --bootstrap "$address" consume orders --end --json >"$work/follow" 2>"$work/follow.err" &
follower=$!
started+=("$follower")
until at produce orders <<<"news" && grep -q news "$work/follow"; do
  kill -0 $follower || fail "the follower ended: $(cat "$work/follow.err")"
done
kill -TERM $follower
wait $follower || fail "the follower ended with $?"

# Groups: what one member committed another one goes on with, through the map too.
at consume orders --group team --max-records 10 >"$work/first"
at consume orders --group team --exit-at-end >"$work/rest"
check "between them all" "$(cat "$work/first" "$work/rest" | wc -l)" \
  "$(at consume orders --exit-at-end | wc -l)"
check "nothing is left" "$(at group describe team | tail -1)" "lag in all 0"
check "its state" "$(at group list | awk '$1 == "team" {print $2, $3}')" "Empty 0"
at group reset team --topic orders:0 --shift-by -5 --execute >/dev/null
check "reset" "$(at consume orders --group team --exit-at-end | tail -n 5 | wc -l)" 5
refused 0 "nothing was changed" group reset team --all-topics --to-earliest
refused 1 "there is no group tema" group describe tema
refused 1 "there is no group tema" group delete team tema
at group delete team
check "deleted" "$(at group list | wc -l)" 1

# Two members share the partitions, and one takes over what the other leaves.
at topic create shared --partitions 2 >/dev/null
for i in 1 2; do
  "$millrace" --bootstrap "$address" consume shared --group pair --offset-reset earliest --format '%p %s\n' >"$work/pair$i" \
    2>"$work/pair$i.err" &
  pair[i]=$!
  started+=("$!")
done
until at group describe pair 2>/dev/null | grep -q 'group pair, Stable, 2 members'; do :; done
printf 'a\nb\n' | at produce shared --partition 0
printf 'c\nd\n' | at produce shared --partition 1
until [ "$(cat "$work/pair1" "$work/pair2" | wc -l)" -ge 4 ]; do
  kill -0 "${pair[1]}" "${pair[2]}" || fail "a member ended: $(cat "$work"/pair?.err)"
done
check "each record once" "$(cat "$work/pair1" "$work/pair2" | sort | tr '\n' ' ')" "0 a 0 b 1 c 1 d "
kill -TERM "${pair[1]}"
wait "${pair[1]}" || fail "a member ended with $?: $(cat "$work/pair1.err")"
printf 'e\n' | at produce shared --partition 0
printf 'f\n' | at produce shared --partition 1
until [ "$(cat "$work/pair1" "$work/pair2" | wc -l)" -ge 6 ]; do
  kill -0 "${pair[2]}" || fail "the member that is left ended: $(cat "$work/pair2.err")"
done
# Partitions that are added are theirs, too.
at topic alter shared --partitions 3
until at group describe pair | awk '$1 == "shared" && $2 == 2 {print $6}' | grep -q millrace; do
  kill -0 "${pair[2]}" || fail "the member that is left ended: $(cat "$work/pair2.err")"
done
printf 'g\n' | at produce shared --partition 2
until grep -q '^2 g$' "$work/pair2"; do
  kill -0 "${pair[2]}" || fail "the member that is left ended: $(cat "$work/pair2.err")"
done
kill -TERM "${pair[2]}"
wait "${pair[2]}" || fail "a member ended with $?: $(cat "$work/pair2.err")"
check "each record once" "$(cat "$work/pair1" "$work/pair2" | sort | tr '\n' ' ')" \
  "0 a 0 b 0 e 1 c 1 d 1 f 2 g "

# Transactions: seen when they are committed, listed while they are open, aborted on demand.
at topic create bills >/dev/null
seq 10 | at produce bills --transactional-id billing --transaction-records 4 --report >"$work/report"
check "committed" "$(at consume bills --exit-at-end | tr '\n' ' ')" "1 2 3 4 5 6 7 8 9 10 "
check "reported" "$(wc -l <"$work/report")" 10
mkfifo "$work/pipe"
"$millrace" --bootstrap "$address" produce bills --transactional-id billing <"$work/pipe" >"$work/open" 2>"$work/open.err" &
open=$!
started+=("$open")
exec 9>"$work/pipe"
echo unseen >&9
until at txn describe billing | grep -q Ongoing; do
  kill -0 $open || fail "the producer ended: $(cat "$work/open.err")"
done
check "not seen yet" "$(at consume bills --exit-at-end | wc -l)" 10
check "but there" "$(at consume bills --exit-at-end --isolation read_uncommitted | tail -1)" unseen
check "listed" "$(at txn list --state Ongoing | awk 'NR == 2 {print $1, $2}')" "billing Ongoing"
at txn abort billing | grep -q '^aborted billing: ' || fail "txn abort"
refused 1 "has no open transaction" txn abort billing
exec 9>&-
wait $open && fail "a producer that was fenced ended well"
grep -q 'the transaction is aborted' "$work/open.err" || fail "fenced: $(cat "$work/open.err")"
check "never seen" "$(at consume bills --exit-at-end | wc -l)" 10

at topic delete bills shared
check "deleted" "$(at topic list | wc -l)" 2
refused 2 "give it or --data, not both" --data "$work/data" topic list
refused 2 "works on the files of a directory" log verify
got=0
"$millrace" --bootstrap 127.0.0.1:1 topic list 2>"$work/err" || got=$?
check "no broker there" "$got $(grep -c 'is a broker listening there' "$work/err")" "1 1"
got=0
"$millrace" --bootstrap nowhere topic list 2>"$work/err" || got=$?
check "no address" "$got $(grep -c 'give HOST:PORT' "$work/err")" "1 1"
check "what the server complained of" "$(cat "$work/server.err")" ""
stop_server
echo "the program as a client: all passed"
