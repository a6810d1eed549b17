# Kafka's own clients and command line tools.
. "$(dirname "$0")/library.sh" "$@"
. "$here/far_clients.sh"

topics() { tool TopicCommand --bootstrap-server "$address" "$@"; }
configs() { tool ConfigCommand --bootstrap-server "$address" --entity-type topics --entity-name orders "$@"; }
groups() { tool ConsumerGroupCommand --bootstrap-server "$address" "$@"; }
offsets() { tool GetOffsetShell --bootstrap-server "$address" "$@"; }
transactions() { tool TransactionsCommand --bootstrap-server "$address" "$@"; }

# produce TOPIC FILE [option...]: lines of "header:value,... TAB key TAB value".
produce() {
  local topic=$1 file=$2
  shift 2
  tool_reading "$file" ConsoleProducer --bootstrap-server "$address" --topic "$topic" \
    --property parse.key=true --property parse.headers=true --property null.marker=NULL "$@"
}
# consume TOPIC N [option...]
consume() {
  local topic=$1 count=$2
  shift 2
  tool ConsoleConsumer --bootstrap-server "$address" --topic "$topic" --max-messages "$count" \
    --timeout-ms 60000 --property print.key=true --property print.headers=true \
    --property print.offset=true --property print.partition=true --property null.literal=NULL "$@"
}

try_topics() {
  topics --create --topic orders --partitions 3 --config retention.ms=50000
  topics --list
  says orders
  topics --describe --topic orders
  says 'PartitionCount: 3 ReplicationFactor: 1 Configs: retention.ms=50000' \
    'Partition: 2 Leader: 0 Replicas: 0 Isr: 0'
  tool_fails TopicCommand --bootstrap-server "$address" --create --topic orders
  says 'exists'
  topics --alter --topic orders --partitions 4
  tool_fails TopicCommand --bootstrap-server "$address" --alter --topic orders --partitions 2
  topics --describe --topic orders
  says 'PartitionCount: 4'
  tool_fails TopicCommand --bootstrap-server "$address" --describe --topic none
  says 'does not exist as expected'
}

try_configs() {
  configs --describe
  says 'retention.ms=50000'
  configs --alter --add-config retention.ms=60000,cleanup.policy=compact
  configs --alter --delete-config retention.ms
  configs --describe
  says 'cleanup.policy=compact'
  says_not retention.ms=
  tool_fails ConfigCommand --bootstrap-server "$address" --entity-type topics --entity-name orders \
    --alter --add-config segment.bytes=none
  tool ConfigCommand --bootstrap-server "$address" --describe --entity-type brokers --entity-name 0 --all
  says node.id=0 num.partitions=1
}

try_cluster() {
  tool ClusterTool cluster-id --bootstrap-server "$address"
  says 'Cluster ID: '
  tool BrokerApiVersionsCommand --bootstrap-server "$address"
  says 'Produce(0): 0 to 11 [usable: 11]' 'OffsetDelete(47): 0 [usable: 0]'
  tool LogDirsCommand --bootstrap-server "$address" --describe --topic-list orders
  says '"partition":"orders-3"' "\"logDir\":\"$work/data\"" '"error":null'
  tool LeaderElectionCommand --bootstrap-server "$address" --election-type preferred \
    --all-topic-partitions
}

# Where there is one broker, what can be asked for is what there is already.
try_reassigning() {
  printf '{"version":1,"partitions":[{"topic":"orders","partition":0,"replicas":[0],"log_dirs":["%s"]}]}' \
    "$work/data" >"$work/plan.json"
  local command=(ReassignPartitionsCommand --bootstrap-server "$address"
    --reassignment-json-file "$work/plan.json")
  tool "${command[@]}" --execute
  says 'Successfully started partition reassignment for orders-0'
  tool "${command[@]}" --verify
  says 'Reassignment of partition orders-0 is completed'
  sed -i 's/"replicas":\[0\]/"replicas":[1]/' "$work/plan.json"
  tool_fails "${command[@]}" --execute
}

try_records() {
  local codec
  for codec in none gzip snappy lz4 zstd; do
    printf 'h:%s,empty:\tkey-%s\tvalue-%s\n' "$codec" "$codec" "$codec" >"$work/in"
    produce codecs "$work/in" --compression-codec "$codec"
  done
  printf 'h:1\tgone\tNULL\n' >"$work/in"
  produce codecs "$work/in" --producer-property acks=1 --producer-property enable.idempotence=false
  consume codecs 6 --from-beginning --group team
  check "records" "$(grep '^Partition' "$work/tool.out")" \
    "$(printf 'Partition:0\tOffset:%s\n' $'0\th:none,empty:\tkey-none\tvalue-none' \
      $'1\th:gzip,empty:\tkey-gzip\tvalue-gzip' $'2\th:snappy,empty:\tkey-snappy\tvalue-snappy' \
      $'3\th:lz4,empty:\tkey-lz4\tvalue-lz4' $'4\th:zstd,empty:\tkey-zstd\tvalue-zstd' \
      $'5\th:1\tgone\tNULL')"
  consume codecs 1 --partition 0 --offset 4
  says 'Offset:4'
}

try_groups() {
  groups --list --state
  says 'team Empty'
  groups --describe --group team
  says 'team codecs 0 6 6 0'
  groups --describe --group team --state
  says Empty
  groups --group team --topic codecs --reset-offsets --to-offset 2 --execute
  groups --group team --topic codecs --reset-offsets --shift-by 1 --dry-run
  says 'team codecs 0 3'
  groups --describe --group team
  says 'team codecs 0 2 6 4'
  consume codecs 4 --group team
  says 'Offset:2' 'Offset:5'
  produce other "$work/in"
  groups --group team --topic other --reset-offsets --to-latest --execute
  groups --group team --topic other --delete-offsets
  says 'other 0 Successful'
  groups --describe --group team
  says 'team codecs 0 6 6 0'
  says_not other
  groups --group team --delete
  groups --list
  says_not team
}

# What is asked of a group while it is in use.
try_group_in_use() {
  tool Clients enter "$address" busy codecs
  groups --describe --group busy --members --verbose
  says ' /127.0.0.1 consumer-busy-1 1 '
  groups --describe --group busy --state
  says 'range Stable 1'
  groups --group busy --topic codecs --delete-offsets
  says 'codecs 0 Error: ' GroupSubscribedToTopic
  groups --group busy --delete
  says GroupNotEmpty
  tool Clients leave
}

try_offsets() {
  offsets --topic codecs
  says 'codecs:0:6'
  offsets --topic codecs --time earliest
  says 'codecs:0:0'
  offsets --topic codecs --time max-timestamp
  says 'codecs:0:5'
  offsets --topic codecs --time 1
  says 'codecs:0:0'
  printf '{"partitions":[{"topic":"codecs","partition":0,"offset":3}],"version":1}' >"$work/plan.json"
  tool DeleteRecordsCommand --bootstrap-server "$address" --offset-json-file "$work/plan.json"
  says 'partition: codecs-0 low_watermark: 3'
  offsets --topic codecs --time earliest
  says 'codecs:0:3'
}

try_transactions() {
  tool Clients transactions "$address"
  tool Clients open "$address" open bills
  transactions list
  says 'open 0' Ongoing CompleteCommit
  transactions describe --transactional-id open
  says Ongoing bills-0
  transactions describe-producers --topic bills --partition 0
  local start
  start=$(said | awk '$6 ~ /^[0-9]+$/ {print $6}')
  [ -n "$start" ] || fail "no open transaction in: $(cat "$work/tool.out")"
  transactions find-hanging --broker-id 0 --max-transaction-timeout 0
  says_not bills
  # Whoever writes the marker by hand lets readers go on.
  transactions abort --topic bills --partition 0 --start-offset "$start"
  transactions describe-producers --topic bills --partition 0
  check "open transactions" "$(said | awk '$6 ~ /^[0-9]+$/ {print $6}')" ""
  tool Clients close
}

try_admin_client() { tool Groups "$address"; }

try_load() {
  tool ProducerPerformance --topic load --num-records 20000 --record-size 100 --throughput -1 \
    --producer-props bootstrap.servers="$address" compression.type=lz4
  says '20000 records sent'
  tool ConsumerPerformance --bootstrap-server "$address" --topic load --messages 20000
  says ', 20000, '
  tool VerifiableProducer --bootstrap-server "$address" --topic verified --max-messages 500
  tool VerifiableConsumer --bootstrap-server "$address" --topic verified --max-messages 500 \
    --group-id verifier
  check "verified" "$(grep -o '"records_consumed","count":[0-9]*' "$work/tool.out" |
    awk -F: '{sum += $2} END {print sum}')" 500
  says '"offset":500}],"success":true'
  tool EndToEndLatency "$address" verified 20 all 100
  says 'Percentiles'
}

try_dump_log() {
  local file kinds=
  for file in "$work"/data/{codecs,load,bills}-0/*.{log,index,timeindex,txnindex,snapshot}; do
    [ -s "$file" ] || continue
    tool DumpLogSegments --files "$file" --deep-iteration
    says_not Mismatches
    says_not 'isvalid: false'
    kinds+="${file##*.} "
  done
  for file in log index timeindex txnindex snapshot; do
    [[ " $kinds" == *" $file "* ]] || fail "nothing was dumped of the kind $file, only $kinds"
  done
  tool DumpLogSegments --files "$work/data/codecs-0/00000000000000000000.log" --print-data-log
  says 'compresscodec: zstd' 'headerKeys: [h,empty] key: key-zstd payload: value-zstd'
  for file in "$work"/data/__consumer_offsets-*/*.log; do
    tool DumpLogSegments --files "$file" --offsets-decoder --print-data-log
  done
}

for version in "${kafka_versions[@]}"; do
  echo "== Kafka $version"
  fetch_kafka "$version"
  rm -rf "$work/data"
  start_server
  start_tools
  for step in topics configs cluster reassigning records groups group_in_use admin_client offsets \
    transactions load; do
    try_$step
  done
  topics --delete --topic orders
  topics --list
  grep -qx orders "$work/tool.out" && fail "a topic was not deleted"
  stop_server
  check "what the server complained of" "$(cat "$work/server.err")" ""
  try_dump_log
  stop_tools
done
echo "java: all passed"
