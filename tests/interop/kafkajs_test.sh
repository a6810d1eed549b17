# kafkajs: producer with gzip, consumers in groups, admin client, transactions.
. "$(dirname "$0")/library.sh" "$@"
. "$here/far_clients.sh"
fetch_kafkajs
start_server
timeout 200 node "$here/kafkajs.js" "$address" || fail "kafkajs ended with $?"
stop_server
check "what the server complained of" "$(cat "$work/server.err")" ""
# The same without a server.
check "codecs" "$("$millrace" --data "$work/data" consume codecs --exit-at-end | sort | uniq -c |
  awk '{print $1, $2}' | tr '\n' ' ')" "10 gzip 7 none "
echo "kafkajs: all passed"
