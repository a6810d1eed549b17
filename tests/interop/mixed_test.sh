# Each client reads what each other one writes, and they share groups.
. "$(dirname "$0")/library.sh" "$@"
. "$here/far_clients.sh"
need kcat go
fetch_kafka "${kafka_versions[-1]}"
fetch_kafkajs
start_server
start_tools
export GO111MODULE=off GOPATH=/usr/share/gocode GOFLAGS= GOCACHE="${XDG_CACHE_HOME:-${HOME:-/tmp}/.cache}/go-build"
go build -o "$work/sarama" "$here/mixed/clients.go" 2>"$work/go.err" || fail "$(cat "$work/go.err")"
kcat_path=$(type -P kcat)
kcat() { timeout 60 "$kcat_path" -b "$address" -X log_level=3 "$@"; }
clients_py() { timeout 120 /usr/bin/python3 -u "$here/mixed/clients.py" "$@"; }

clients=(kcat kafka-python confluent sarama java kafkajs)
# What every client can read stands by itself: kafkajs has only these.
declare -A codecs_of=([plain]="none gzip" [rest]="snappy lz4 zstd")
value_of() { head -c 500 /dev/zero | tr '\0' "${1:0:1}"; }

# wanted_of WRITER KIND: what stands in its topic, in the form of kcat.
wanted_of() {
  local codec key
  for codec in ${codecs_of[$2]}; do
    key=$1-$codec
    printf '%s:%s 500:%s h=%s,empty=\n' ${#key} "$key" "$(value_of "$codec")" "$codec"
    printf '%s:%s -1:\n' ${#key} "$key"
    printf -- '-1: 6:no key\n'
  done
}

produce_by_kcat() {
  local kind codec
  for kind in plain rest; do
    for codec in ${codecs_of[$kind]}; do
      value_of "$codec" |
        kcat -P -t "kcat-$kind" -z "$codec" -k "kcat-$codec" -H "h=$codec" -H empty=
      printf 'kcat-%s:\n' "$codec" | kcat -P -t "kcat-$kind" -z "$codec" -K: -Z
      printf 'no key' | kcat -P -t "kcat-$kind" -z "$codec"
    done
  done
}

produce_by_java() {
  local kind codec
  for kind in plain rest; do
    for codec in ${codecs_of[$kind]}; do
      printf 'h:%s,empty:\tjava-%s\t%s\nNULL\tjava-%s\tNULL\nNULL\tNULL\tno key\n' "$codec" \
        "$codec" "$(value_of "$codec")" "$codec" >"$work/in"
      tool_reading "$work/in" ConsoleProducer --bootstrap-server "$address" --topic "java-$kind" \
        --compression-codec "$codec" --property parse.key=true --property parse.headers=true \
        --property null.marker=NULL --sync
    done
  done
}

produce_with() {
  case $1 in
    kcat) produce_by_kcat ;;
    kafka-python | confluent) clients_py "$1" produce "$address" ;;
    sarama) timeout 120 "$work/sarama" produce "$address" ;;
    kafkajs) timeout 120 node "$here/mixed/clients.js" produce "$address" ;;
    java) produce_by_java ;;
  esac
}

# Of the console consumer, to the form of kcat.
as_kcat() {
  awk -F'\t' '
    function text(part) { return part == "NULL" ? "-1:" : length(part) ":" part }
    NF == 3 {
      gsub(":", "=", $1)
      line = text($2) " " text($3) " " ($1 == "NO_HEADERS" ? "" : $1)
      sub(/ +$/, "", line)
      print line
    }' "$work/tool.out"
}

# consume_with READER TOPIC N
consume_with() {
  case $1 in
    kcat) kcat -C -t "$2" -o beginning -c "$3" -q -f '%K:%k %S:%s %h\n' | sed 's/ *$//' ;;
    kafka-python | confluent) clients_py "$1" consume "$address" "$2" "$3" ;;
    sarama) timeout 60 "$work/sarama" consume "$address" "$2" "$3" ;;
    kafkajs) timeout 60 node "$here/mixed/clients.js" consume "$address" "$2" "$3" ;;
    java)
      tool ConsoleConsumer --bootstrap-server "$address" --topic "$2" --from-beginning \
        --max-messages "$3" --timeout-ms 60000 --property print.key=true \
        --property print.headers=true --property null.literal=NULL
      as_kcat
      ;;
  esac
}

# check_reading READER WRITER KIND
check_reading() {
  wanted_of "$2" "$3" >"$work/wanted"
  consume_with "$1" "$2-$3" "$(wc -l <"$work/wanted")" >"$work/got" 2>"$work/got.err" ||
    fail "$1 reading from $2: $(cat "$work/got.err")"
  cmp -s "$work/got" "$work/wanted" ||
    fail "$1 reading from $2: $(diff "$work/got" "$work/wanted" | cut -c1-200)"
}

for writer in "${clients[@]}"; do
  echo "== written by $writer"
  produce_with "$writer"
  for reader in "${clients[@]}"; do
    check_reading "$reader" "$writer" plain
    [ "$reader" = kafkajs ] || [ "$writer" = kafkajs ] || check_reading "$reader" "$writer" rest
  done
done
stop_tools

# A group of different clients. Each says what it is assigned and what it reads.
members=(kafka-python confluent sarama java)
declare -A pid_of line_of
"${java[@]}" org.apache.kafka.tools.TopicCommand --bootstrap-server "$address" --create \
  --topic shared --partitions 12 >"$work/create.out" 2>&1 || fail "$(cat "$work/create.out")"
for member in "${members[@]}"; do touch "$work/$member.log"; done

# A change of the group; then all_have() waits for its end.
mark() {
  local member
  for member in "${members[@]}"; do line_of[$member]=$(wc -l <"$work/$member.log"); done
}
join_group() {
  local command
  case $1 in
    kafka-python | confluent) command=(/usr/bin/python3 -u "$here/mixed/clients.py" "$1") ;;
    sarama) command=("$work/sarama") ;;
    java) command=("${java[@]}" Clients) ;;
  esac
  mark
  "${command[@]}" join "$address" team shared >>"$work/$1.log" 2>"$work/$1.err" &
  pid_of[$1]=$!
  started+=($!)
}

# leave_group SIGNAL MEMBER
leave_group() {
  mark
  kill "-$1" "${pid_of[$2]}"
  timeout 60 tail -s 0.1 --pid="${pid_of[$2]}" -f /dev/null || fail "$2 does not end"
  wait "${pid_of[$2]}" || [ "$1" = KILL ] || fail "$2 ended with $?: $(cat "$work/$2.err")"
}

# all_have N MEMBER...: until they have been assigned so many since the change.
all_have() {
  local count=$1 member
  shift
  for member in "$@"; do
    grep -q -m 1 -x "assigned $count" \
      < <(timeout 60 tail -n "+$((line_of[$member] + 1))" -f "$work/$member.log") ||
      fail "$member was not assigned $count: $(cat "$work/$member.log" "$work/$member.err" | tail -n 20)"
  done
}

# Of lines "read VALUE" in files, until there are so many different ones. Each file is followed on
# its own: who writes a line in two pieces must not have another's between them.
count_distinct="
import sys, time
files = [open(name) for name in sys.argv[2:]]
begun = [''] * len(files)
read = set()
until = time.monotonic() + 60
while len(read) < int(sys.argv[1]) and time.monotonic() < until:
    for i, file in enumerate(files):
        *lines, begun[i] = (begun[i] + file.read()).split('\\n')
        read.update(line for line in lines if line.startswith('read '))
    time.sleep(0.05)
print(len(read))
"
# New records are read, by whom it may be.
written=0
produce_and_read() {
  local got
  seq $((written + 1)) $((written + 300)) | kcat -P -t shared -X linger.ms=0
  written=$((written + 300))
  got=$(/usr/bin/python3 -c "$count_distinct" $written "$work"/*.log)
  [ "$got" = $written ] || fail "$got of $written records were read"
}

echo "== a group of them all"
join_group kafka-python
all_have 12 kafka-python
produce_and_read
join_group confluent
all_have 6 kafka-python confluent
produce_and_read
join_group java
all_have 4 kafka-python confluent java
produce_and_read
join_group sarama
all_have 3 "${members[@]}"
produce_and_read
# Who has led the group until now leaves, and comes again.
leave_group TERM kafka-python
all_have 4 confluent java sarama
produce_and_read
join_group kafka-python
all_have 3 "${members[@]}"
leave_group KILL java
all_have 4 kafka-python confluent sarama
produce_and_read
leave_group TERM sarama
all_have 6 kafka-python confluent
leave_group KILL confluent
all_have 12 kafka-python
produce_and_read
leave_group TERM kafka-python
stop_server
check "what the server complained of" "$(cat "$work/server.err")" ""
for writer in "${clients[@]}"; do
  for kind in plain rest; do
    [ -d "$work/data/$writer-$kind-0" ] || continue
    "$millrace" log dump "$work/data" --partition "$writer-$kind-0" --json >"$work/dump"
    for codec in ${codecs_of[$kind]}; do
      grep -q "\"codec\":\"$codec\"" "$work/dump" || fail "$writer did not write with $codec"
    done
  done
done
check "where the group is" "$("$millrace" --data "$work/data" group describe team |
  awk '$1 == "shared" {end += $3; lag += $5} END {print end, lag}')" "$written 0"
echo "mixed: all passed"
