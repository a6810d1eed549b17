# The programs of the documents that the project began from, as they stand: they want a broker at
# localhost:9092.
. "$(dirname "$0")/library.sh" "$@"
need go kcat
[ -d "$shared/seeds" ] || fail "there is no $shared/seeds"
python=/usr/bin/python3
start_server 127.0.0.1:9092
cd "$work"

# wait_for_output FILE COMMAND...: runs the command until the file has something.
wait_for_output() {
  local file=$1 round
  shift
  for round in $(seq 30); do
    "$@"
    # A program that has just begun to listen may have missed it.
    if [ -n "$(head -c 1 < <(timeout 2 tail -n +1 -f "$file"))" ]; then return; fi
  done
  fail "nothing in $file: $(cat "$file.err" 2>/dev/null)"
}

echo "== kafka-python's consumer with a group"
seed=$(grep -l "'my-topic'" "$shared"/seeds/*)
awk '/^    from kafka import KafkaConsumer/ {on = 1} on && /^[^ ]/ {exit} on' "$seed" |
  sed 's/^    //' >consumer.py
$python -u consumer.py >consumer.out 2>consumer.out.err &
started+=($!)
wait_for_output consumer.out sh -c "echo hello | timeout 20 kcat -b '$address' -P -t my-topic -k key"
grep -q "my-topic:0:[0-9]*: key=b'key' value=b'hello'" consumer.out || fail "$(cat consumer.out)"

echo "== kafka-python's producer of JSON, and its consumer"
seed=$(grep -l 'value_serializer' "$shared"/seeds/*)
mkdir config
printf 'class config:\n    SERVER = "localhost:9092"\n    TOPIC = "howtousekafka"\n' >config/config.py
printf 'from .config import config\n' >config/__init__.py
# The document lost its indentation. A pause of a second, in which its record is sent, is made to end
# when it has been.
{
  echo 'import time; pause = time.sleep'
  echo 'time.sleep = lambda seconds: producer.flush() if seconds == 1 else pause(seconds)'
  awk '/^import json$/ {on = 1} /最简单的消费者/ {exit} on' "$seed" |
    sed -E 's/^(data =|producer\.send|time\.sleep)/    \1/'
} >json_producer.py
awk 'found && /^\|/ {exit} found; /最简单的消费者/ {found = 1}' "$seed" |
  sed -E 's/^(print)/    \1/' >json_consumer.py
timeout 60 $python json_producer.py
$python -u json_consumer.py >json.out 2>json.out.err &
started+=($!)
wait_for_lines json.out 100
check "JSON records" "$(grep -c '"num": ' json.out)" 100
check "the last one" "$(grep -c '"num": 99,' json.out)" 1

echo "== sarama's producer and consumer"
seed=$(grep -l 'NewSyncProducer' "$shared"/seeds/*)
awk '/^```go/ {on = 1; ++n; next} /^```/ {on = 0} on {print > ("program" n ".go")}' "$seed"
export GO111MODULE=off GOPATH=/usr/share/gocode GOFLAGS= GOCACHE="${XDG_CACHE_HOME:-${HOME:-/tmp}/.cache}/go-build"
go build -o producer program1.go 2>go.err || fail "$(cat go.err)"
go build -o consumer program2.go 2>go.err || fail "$(cat go.err)"
check "first record" "$(timeout 20 ./producer)" "pid:0 offset:0"
./consumer >sarama.out 2>sarama.out.err &
started+=($!)
wait_for_output sarama.out timeout 20 ./producer
grep -q 'Partition:0 Offset:[0-9]* Key:\[\] Value:hello,Word' sarama.out || fail "$(cat sarama.out)"

check "what the server complained of" "$(cat server.err)" ""
echo "seeds: all passed"
