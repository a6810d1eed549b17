# librdkafka, by way of kcat: metadata, codecs, headers, tombstones, offsets by time, groups.
. "$(dirname "$0")/library.sh" "$@"
need kcat openssl
start_server
kcat_path=$(type -P kcat)
kcat() { timeout 60 "$kcat_path" -b "$address" -X log_level=3 "$@"; }

check "topics before" "$(kcat -L | grep -c 'topic "')" 0
seq 1 5000 | kcat -P -t numbers
check "numbers" "$(kcat -C -t numbers -o beginning -e -q | md5sum)" "$(seq 1 5000 | md5sum)"
check "from an offset" "$(kcat -C -t numbers -o 4990 -e -q | head -1)" 4991
check "from the end" "$(kcat -C -t numbers -o -3 -e -q | tr '\n' ' ')" "4998 4999 5000 "

for codec in none gzip snappy lz4 zstd; do
  # Long enough to be worth compressing, or librdkafka would not.
  head -c 3000 /dev/zero | tr '\0' "${codec:0:1}" | kcat -P -t codecs -z "$codec" -k "key-$codec" \
    -H "codec=$codec" -H empty=
done
check "codecs" "$(kcat -C -t codecs -o beginning -e -q -f '%o %k %S %h\n')" "0 key-none 3000 codec=none,empty=
1 key-gzip 3000 codec=gzip,empty=
2 key-snappy 3000 codec=snappy,empty=
3 key-lz4 3000 codec=lz4,empty=
4 key-zstd 3000 codec=zstd,empty="
# They are stored as they came.
stored=$("$millrace" log dump "$work/data" --partition codecs-0 --json 2>/dev/null |
  grep -o '"codec":"[a-z0-9]*"' | tr -d '"' | cut -d: -f2 | tr '\n' ' ') || true
[ -z "$stored" ] || check "codecs on disk" "$stored" "none gzip snappy lz4 zstd "

printf 'gone:\n' | kcat -P -t codecs -K: -Z
check "tombstone" "$(kcat -C -t codecs -o -1 -e -q -f '%k %S\n')" "gone -1"

check "offset by time" "$(kcat -Q -t numbers:0:0)" "numbers [0] offset 0"
check "end by time" "$(kcat -Q -t numbers:0:-1)" "numbers [0] offset 5000"

seq 1 10 | kcat -P -t grouped
check "group, first" "$(kcat -G team -c 10 -q -o beginning -X auto.offset.reset=earliest grouped 2>/dev/null | md5sum)" \
  "$(seq 1 10 | md5sum)"
seq 11 20 | kcat -P -t grouped
check "group goes on" "$(kcat -G team -c 10 -q grouped 2>/dev/null | md5sum)" "$(seq 11 20 | md5sum)"

# Idempotent, and with every acks.
for acks in 0 1 all; do echo "acks $acks" | kcat -P -t acks -X acks=$acks; done
echo idempotent | kcat -P -t acks -X enable.idempotence=true
check "acks" "$(kcat -C -t acks -o beginning -e -q | sort | tr '\n' ',')" \
  "acks 0,acks 1,acks all,idempotent,"

stop_server
check "what the server complained of" "$(cat "$work/server.err")" ""
# The same records without a server.
check "read from the directory" \
  "$("$millrace" --data "$work/data" consume numbers --exit-at-end | md5sum)" "$(seq 1 5000 | md5sum)"
check "the group's offsets" \
  "$("$millrace" --data "$work/data" group describe team | awk '$1 == "grouped" {print $3, $5}')" "20 0"

openssl req -x509 -newkey rsa:2048 -nodes -keyout "$work/key.pem" -out "$work/cert.pem" -days 2 \
  -subj /CN=localhost -addext "subjectAltName=IP:127.0.0.1" 2>/dev/null
start_server 127.0.0.1:0 --tls-cert "$work/cert.pem" --tls-key "$work/key.pem"
tls=(-X security.protocol=ssl -X "ssl.ca.location=$work/cert.pem")
head -c 3000000 /dev/urandom | base64 >"$work/lines"
kcat -P -t encrypted "${tls[@]}" <"$work/lines"
check "encrypted" "$(kcat -C -t encrypted -o beginning -e -q "${tls[@]}" | md5sum)" \
  "$(md5sum <"$work/lines")"
if timeout 20 "$kcat_path" -b "$address" -L -m 5 >/dev/null 2>&1; then fail "let in without TLS"; fi
stop_server
grep -q "TLS could not be agreed on" "$work/server.err" || fail "no word about who came without TLS"
echo "kcat: all passed"
