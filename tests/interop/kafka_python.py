import sys

from kafka import KafkaConsumer, KafkaProducer, TopicPartition
from kafka.admin import ConfigResource, ConfigResourceType
from kafka.admin import KafkaAdminClient, NewPartitions, NewTopic
from kafka.errors import (
    GroupIdNotFoundError,
    InvalidPartitionsError,
    NonEmptyGroupError,
    TopicAlreadyExistsError,
)
from kafka.structs import OffsetAndMetadata

address = sys.argv[1]


def check(what, got, wanted):
    if got != wanted:
        sys.exit(f"FAILED: {what}: got {got!r}, wanted {wanted!r}")


def consumer(*topics, **settings):
    settings.setdefault("auto_offset_reset", "earliest")
    settings.setdefault("consumer_timeout_ms", 20000)
    return KafkaConsumer(*topics, bootstrap_servers=address, **settings)


def take(source, count):
    taken = []
    for record in source:
        taken.append(record)
        if len(taken) == count:
            break
    return taken


admin = KafkaAdminClient(bootstrap_servers=address)
admin.create_topics([NewTopic("three", 3, 1)])
try:
    admin.create_topics([NewTopic("three", 3, 1)])
    sys.exit("FAILED: a topic was made twice")
except TopicAlreadyExistsError:
    pass

for codec in (None, "gzip", "snappy", "lz4", "zstd"):
    producer = KafkaProducer(bootstrap_servers=address, compression_type=codec, acks="all")
    sent = [
        producer.send("three", key=f"{codec} {i}".encode(), value=b"v%d" % i, headers=[("h", b"1")])
        for i in range(100)
    ]
    producer.flush()
    for receipt in sent:
        receipt.get(timeout=20)
    producer.close()

everything = consumer("three")
records = take(everything, 500)
check("records", len(records), 500)
check("values", sorted({r.value for r in records}), sorted({b"v%d" % i for i in range(100)}))
check("headers", {tuple(r.headers) for r in records}, {(("h", b"1"),)})
partitions = [TopicPartition("three", i) for i in range(3)]
ends = everything.end_offsets(partitions)
check("ends", sum(ends.values()), 500)
check("begins", set(everything.beginning_offsets(partitions).values()), {0})
found = everything.offsets_for_times({partitions[0]: 0})[partitions[0]]
check("offset by time", found.offset, 0)
everything.close()

# Two members share what one had; what was committed is where the next one goes on.
first = consumer("three", group_id="shared", enable_auto_commit=False, max_poll_records=50)
part = take(first, 150)
first.commit({p: OffsetAndMetadata(first.position(p), "half way") for p in first.assignment()})
committed = sum(first.committed(p) or 0 for p in partitions)
first.close()
second = consumer("three", group_id="shared")
rest = take(second, 500 - committed)
check("no record twice", len({(r.partition, r.offset) for r in rest}), 500 - committed)
second.close()

# What looks after groups: "shared" is left, somebody is in "busy".
busy = consumer("three", group_id="busy")
take(busy, 1)
groups = [("busy", "consumer"), ("shared", "consumer")]
check("groups", sorted(admin.list_consumer_groups()), groups)
descriptions = admin.describe_consumer_groups(["busy", "shared", "no"])
described = {group.group: group for group in descriptions}
check("states", {k: v.state for k, v in described.items()},
      {"busy": "Stable", "shared": "Empty", "no": "Dead"})
member = described["busy"].members[0]
check("its topics", member.member_metadata.subscription, ["three"])
check("its partitions", member.member_assignment.assignment, [("three", [0, 1, 2])])
offsets = admin.list_consumer_group_offsets("shared")
check("committed", sum(o.offset for o in offsets.values()), 500)
check("not there", admin.delete_consumer_groups(["no"]), [("no", GroupIdNotFoundError)])
check("in use", admin.delete_consumer_groups(["busy"]), [("busy", NonEmptyGroupError)])
busy.close()
admin.delete_consumer_groups(["busy", "shared"])
check("no groups", admin.list_consumer_groups(), [])

# What looks after topics.
admin.create_partitions({"three": NewPartitions(5)})
check("partitions", len(admin.describe_topics(["three"])[0]["partitions"]), 5)
try:
    admin.create_partitions({"three": NewPartitions(4)})
    sys.exit("FAILED: a topic lost partitions")
except InvalidPartitionsError:
    pass


def retention():
    three = ConfigResource(ConfigResourceType.TOPIC, "three", configs={"retention.ms": None})
    (_, _, _, _, settings) = admin.describe_configs([three])[0].resources[0]
    return settings[0][:2]


check("retention", retention(), ("retention.ms", "604800000"))
admin.alter_configs([ConfigResource(ConfigResourceType.TOPIC, "three", {"retention.ms": "5000"})])
check("retention", retention(), ("retention.ms", "5000"))
broker = admin.describe_configs([ConfigResource(ConfigResourceType.BROKER, "0")])[0].resources[0]
check("the broker", (broker[0], "num.partitions" in {s[0] for s in broker[4]}), (0, True))

admin.delete_topics(["three"])
check("topics left", "three" in KafkaConsumer(bootstrap_servers=address).topics(), False)
print("kafka-python: all passed")
