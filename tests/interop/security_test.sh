# Who may come in and what they may do: SASL, rules of access and quotas with kcat, kafka-python and
# confluent-kafka-python; all of it by `serve --config`.
. "$(dirname "$0")/library.sh" "$@"
need kcat openssl
[ -x /usr/bin/python3 ] || fail "there is no /usr/bin/python3"
/usr/bin/python3 -c 'import kafka, confluent_kafka' ||
  fail "there is no kafka-python or confluent-kafka-python; run .ci/install-packages.sh interop"
kcat_path=$(type -P kcat)

cat >"$work/rules" <<'EOF'
# ann does what she likes with what begins with "orders", bob looks on
super User:root
allow User:ann all topic prefix:orders
allow User:ann read,describe group *
allow User:ann write,describe transactional-id ann
allow User:bob read,describe topic orders
allow User:bob read group prefix:bob
deny User:bob all topic orders-secret
EOF
cat >"$work/server.properties" <<EOF
# As Kafka has it.
listeners=SASL_PLAINTEXT://127.0.0.1:0
sasl.enabled.mechanisms=PLAIN,SCRAM-SHA-256,SCRAM-SHA-512
millrace.user.root=root-secret
millrace.user.ann=ann,secret=
millrace.user.bob=bob-secret
millrace.acl.file=$work/rules
millrace.quota.slow.producer_byte_rate=100000
log.dirs=$work/data
num.partitions=3
log.segment.bytes=1048576
zookeeper.connect=nowhere
EOF
# One server speaks plainly, a later one TLS.
start_server 127.0.0.1:0 --config "$work/server.properties"

# as USER PASSWORD MECHANISM [kcat's options]
as() {
  local user=$1 password=$2 mechanism=$3
  shift 3
  timeout 60 "$kcat_path" -b "$address" -X log_level=3 -X security.protocol="${protocol:-SASL_PLAINTEXT}" \
    -X sasl.mechanism="$mechanism" -X sasl.username="$user" -X sasl.password="$password" "$@"
}
ann() { as ann ann,secret= "$@"; }
bob() { as bob bob-secret "$@"; }

for mechanism in PLAIN SCRAM-SHA-256 SCRAM-SHA-512; do
  echo "by $mechanism" | ann $mechanism -P -t orders -p 0
done
check "ann reads" "$(ann SCRAM-SHA-256 -C -t orders -p 0 -o beginning -e -q | tr '\n' ',')" \
  "by PLAIN,by SCRAM-SHA-256,by SCRAM-SHA-512,"
check "bob reads" "$(bob SCRAM-SHA-512 -C -t orders -p 0 -o beginning -c 1 -q)" "by PLAIN"
check "partitions by num.partitions" "$(ann PLAIN -L -t orders | grep -c 'partition ')" 3

# kcat wants to know of a failure from the first broker that it tries.
refused() { grep -qi "$2" <<<"$1" || fail "wanted '$2' in: $1"; }
for mechanism in PLAIN SCRAM-SHA-256 SCRAM-SHA-512; do
  refused "$(as ann wrong $mechanism -L -m 5 2>&1 || true)" "authentication fail"
  refused "$(as eve ann,secret= $mechanism -L -m 5 2>&1 || true)" "authentication fail"
done
timeout 60 "$kcat_path" -b "$address" -L -m 3 >/dev/null 2>&1 && fail "let in without a name"

echo secret | ann PLAIN -P -t orders-secret
refused "$(echo no | bob PLAIN -P -t orders -X message.timeout.ms=5000 2>&1 || true)" \
  "authorization failed"
refused "$(bob PLAIN -C -t orders-secret -p 0 -e 2>&1 || true)" "authorization failed"
check "bob sees" "$(bob PLAIN -L | grep -o 'topic "[^"]*"' | sort | tr '\n' ' ')" 'topic "orders" '
check "root sees" \
  "$(as root root-secret PLAIN -L | grep -o 'topic "[^"]*"' | sort | tr '\n' ' ')" \
  'topic "orders" topic "orders-secret" '
check "a group of bob's" \
  "$(bob PLAIN -G bob-1 -c 1 -q -X auto.offset.reset=earliest orders 2>/dev/null)" "by PLAIN"
refused "$(bob PLAIN -G ann-1 -c 1 -X auto.offset.reset=earliest orders 2>&1 || true)" \
  "group authorization failed"

timeout 180 /usr/bin/python3 "$here/security.py" "$address"
stop_server
grep -q "server.properties:12: zookeeper.connect is not known" "$work/server.err" ||
  fail "no word about an unknown setting"
grep -q "could not prove that it is 'eve' by SCRAM-SHA-512" "$work/server.err" ||
  fail "no word about who was refused"
if grep -q "wrong\|ann,secret" "$work/server.err"; then fail "a password in what the server says"; fi
check "log.segment.bytes of a topic that a client made" \
  "$("$millrace" --data "$work/data" topic describe orders | awk '$1 == "segment.bytes" {print $2}')" \
  1048576

openssl req -x509 -newkey rsa:2048 -nodes -keyout "$work/key.pem" -out "$work/cert.pem" -days 2 \
  -subj /CN=localhost -addext "subjectAltName=IP:127.0.0.1" 2>/dev/null
cat "$work/key.pem" "$work/cert.pem" >"$work/keystore.pem"
sed -i -e 's/SASL_PLAINTEXT/SASL_SSL/' -e '/zookeeper/d' "$work/server.properties"
printf 'ssl.keystore.type=PEM\nssl.keystore.location=%s\n' "$work/keystore.pem" >>"$work/server.properties"
start_server 127.0.0.1:0 --config "$work/server.properties"
protocol=SASL_SSL
check "by TLS" "$(ann PLAIN -X ssl.ca.location="$work/cert.pem" -C -t orders -p 0 -o beginning -c 1 -q)" \
  "by PLAIN"
stop_server
check "what the server complained of" "$(cat "$work/server.err")" ""
echo "security: all passed"
