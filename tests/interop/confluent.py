import sys
import time

from confluent_kafka import Consumer, KafkaError, KafkaException, Producer, TopicPartition
from confluent_kafka.admin import AdminClient, ConfigResource, NewPartitions, NewTopic

address = sys.argv[1]


def check(what, got, wanted):
    if got != wanted:
        sys.exit(f"FAILED: {what}: got {got!r}, wanted {wanted!r}")


def producer(name):
    made = Producer({"bootstrap.servers": address, "transactional.id": name})
    made.init_transactions(30)
    return made


def send(to, topic, values):
    for value in values:
        to.produce(topic, value=value.encode(), partition=0)
    to.flush(30)


def consumer(isolation, group):
    return Consumer(
        {
            "bootstrap.servers": address,
            "group.id": group,
            "isolation.level": isolation,
            "enable.auto.commit": False,
            "enable.partition.eof": True,
            "auto.offset.reset": "earliest",
        }
    )


def read(topic, isolation):
    """All that a reader sees up to the end, or up to what is not decided yet."""
    reader = consumer(isolation, "reader")
    reader.assign([TopicPartition(topic, 0, 0)])
    values = []
    deadline = time.monotonic() + 30
    while time.monotonic() < deadline:
        record = reader.poll(1)
        if record is None:
            continue
        if record.error() is None:
            values.append(record.value().decode())
        elif record.error().code() == KafkaError._PARTITION_EOF:
            reader.close()
            return values
        else:
            sys.exit(f"FAILED: reading {topic}: {record.error()}")
    sys.exit(f"FAILED: reading {topic}: no end after {values}")


admin = AdminClient({"bootstrap.servers": address})
for made in admin.create_topics([NewTopic("orders", 1, 1), NewTopic("bills", 1, 1)]).values():
    made.result(30)
listed = admin.list_topics(timeout=30).topics
check("topics", {"orders", "bills"} <= set(listed), True)
check("partitions", len(listed["orders"].partitions), 1)


def done(futures):
    for future in futures.values():
        future.result(30)


def refused(futures, code):
    for future in futures.values():
        try:
            future.result(30)
            sys.exit(f"FAILED: there was no error {code}")
        except KafkaException as error:
            check("error", error.args[0].code(), code)


def settings_of(kind, name):
    (future,) = admin.describe_configs([ConfigResource(kind, name)]).values()
    return {entry.name: entry.value for entry in future.result(30).values()}


# What looks after topics.
done(admin.create_topics([NewTopic("short", 1, 1, config={"retention.ms": "5000"})]))
refused(admin.create_topics([NewTopic("short", 1, 1)]), KafkaError.TOPIC_ALREADY_EXISTS)
refused(admin.create_topics([NewTopic("wide", 1, 3)]), KafkaError.INVALID_REPLICATION_FACTOR)
done(admin.create_partitions([NewPartitions("short", 3)]))
refused(admin.create_partitions([NewPartitions("short", 2)]), KafkaError.INVALID_PARTITIONS)
check("more partitions", len(admin.list_topics(timeout=30).topics["short"].partitions), 3)
check("given", settings_of("topic", "short")["retention.ms"], "5000")
done(admin.alter_configs([ConfigResource("topic", "short", {"cleanup.policy": "compact"})]))
check("altered", settings_of("topic", "short")["cleanup.policy"], "compact")
check("replaced", settings_of("topic", "short")["retention.ms"], "604800000")
check("the broker", settings_of("broker", "0")["num.partitions"], "1")
done(admin.delete_topics(["short"]))
refused(admin.delete_topics(["short"]), KafkaError.UNKNOWN_TOPIC_OR_PART)
check("deleted", "short" in admin.list_topics(timeout=30).topics, False)

# Committed is seen, aborted is not, open is not seen yet.
first = producer("billing")
first.begin_transaction()
send(first, "orders", ["a1", "a2"])
check("open, uncommitted", read("orders", "read_uncommitted"), ["a1", "a2"])
check("open, committed", read("orders", "read_committed"), [])
first.commit_transaction(30)
check("committed", read("orders", "read_committed"), ["a1", "a2"])
first.begin_transaction()
send(first, "orders", ["b1"])
send(first, "bills", ["b1"])
first.abort_transaction(30)
first.begin_transaction()
send(first, "orders", ["c1"])
send(first, "bills", ["c1"])
first.commit_transaction(30)
check("after an abort", read("orders", "read_committed"), ["a1", "a2", "c1"])
check("the other topic", read("bills", "read_committed"), ["c1"])
check("all", read("orders", "read_uncommitted"), ["a1", "a2", "b1", "c1"])

# What is consumed is committed with what is made of it, or not at all.
copier = producer("copier")
source = consumer("read_committed", "copier")
source.subscribe(["orders"])


def take(count):
    values = []
    deadline = time.monotonic() + 60
    while len(values) < count and time.monotonic() < deadline:
        record = source.poll(1)
        if record is not None and record.error() is None:
            values.append(record.value().decode())
    return values


def copy(values, is_commit):
    copier.begin_transaction()
    send(copier, "bills", ["copy of " + value for value in values])
    positions = source.position(source.assignment())
    copier.send_offsets_to_transaction(positions, source.consumer_group_metadata(), 30)
    (copier.commit_transaction if is_commit else copier.abort_transaction)(30)
    return positions[0].offset


partition = TopicPartition("orders", 0)
copy(take(2), False)
check("offset after an abort", source.committed([partition], 30)[0].offset, -1001)
source.seek(TopicPartition("orders", 0, 0))
offset = copy(take(2), True)
check("offset after a commit", source.committed([partition], 30)[0].offset, offset)
(group,) = admin.list_groups("copier", 30)
check("the group", (group.id, group.state, len(group.members)), ("copier", "Stable", 1))
check("its member's host", group.members[0].client_host, "/127.0.0.1")
source.close()
check("groups", [group.id for group in admin.list_groups(timeout=30)], ["copier"])
check(
    "copies",
    read("bills", "read_committed"),
    ["c1", "copy of a1", "copy of a2"],
)

# A second instance takes over; what the first had begun is gone.
first.begin_transaction()
send(first, "orders", ["lost"])
second = producer("billing")
second.begin_transaction()
send(second, "orders", ["d1"])
second.commit_transaction(30)
try:
    first.commit_transaction(30)
    sys.exit("FAILED: a fenced producer committed")
except KafkaException as error:
    check("fenced", error.args[0].fatal(), True)
check("after fencing", read("orders", "read_committed"), ["a1", "a2", "c1", "d1"])
print("confluent-kafka: all passed")
