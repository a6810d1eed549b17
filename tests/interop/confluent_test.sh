# confluent-kafka-python: transactions, and its admin client.
. "$(dirname "$0")/library.sh" "$@"
[ -x /usr/bin/python3 ] || fail "there is no /usr/bin/python3"
/usr/bin/python3 -c 'import confluent_kafka' ||
  fail "there is no confluent-kafka-python; run .ci/install-packages.sh interop"
start_server
timeout 120 /usr/bin/python3 "$here/confluent.py" "$address"
stop_server
check "what the server complained of" "$(cat "$work/server.err")" ""
# The same without a server.
check "read from the directory" \
  "$("$millrace" --data "$work/data" group describe copier | awk '$1 == "orders" {print $3, $5}')" \
  "2 9"
echo "confluent-kafka: all passed"
