# kafka-python: producer, consumer with a group, admin client.
. "$(dirname "$0")/library.sh" "$@"
[ -x /usr/bin/python3 ] || fail "there is no /usr/bin/python3"
/usr/bin/python3 -c 'import kafka' || fail "there is no kafka-python; run .ci/install-packages.sh interop"
start_server
timeout 120 /usr/bin/python3 "$here/kafka_python.py" "$address"
stop_server
check "what the server complained of" "$(cat "$work/server.err")" ""
