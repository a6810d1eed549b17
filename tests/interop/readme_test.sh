# README's consumer of five lines, against the example that is the other side of it.
. "$(dirname "$0")/library.sh" "$@"
example=$3
[ -x "$example" ] || fail "there is no $example: build the examples"
"$example" 0 >"$work/example.out" 2>"$work/server.err" &
started+=($!)
wait_for_lines "$work/example.out" 1
address=$(sed 's/listening at //' "$work/example.out")
awk '/^```python/ {on = 1; next} /^```/ {on = 0} on' "$here/../../README.md" |
  sed "s/localhost:9092/$address/" >"$work/consumer.py"
grep -q KafkaConsumer "$work/consumer.py" || fail "README has no consumer in Python any more"
/usr/bin/python3 -u "$work/consumer.py" >"$work/consumer.out" 2>"$work/consumer.out.err" &
started+=($!)
wait_for_lines "$work/consumer.out" 2
check "first line" "$(head -1 "$work/consumer.out")" "orders:0:0: key=b'alice' value=b'order 0'"
check "second line" "$(sed -n 2p "$work/consumer.out")" "orders:0:1: key=b'alice' value=b'order 1'"
echo "readme: all passed"
