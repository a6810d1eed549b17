"""kafka-python and confluent-kafka-python against a broker that asks who they are."""
import sys

import confluent_kafka
import kafka
import kafka.errors
from confluent_kafka import admin as confluent_admin

address = sys.argv[1]
mechanisms = ("PLAIN", "SCRAM-SHA-256", "SCRAM-SHA-512")


def check(what, got, wanted):
    if got != wanted:
        sys.exit(f"FAILED: {what}: got {got!r}, wanted {wanted!r}")


def named(user, password, mechanism):
    return dict(
        bootstrap_servers=address,
        security_protocol="SASL_PLAINTEXT",
        sasl_mechanism=mechanism,
        sasl_plain_username=user,
        sasl_plain_password=password,
    )


for mechanism in mechanisms:
    producer = kafka.KafkaProducer(**named("ann", "ann,secret=", mechanism))
    producer.send("orders-py", value=mechanism.encode()).get(timeout=30)
    producer.close()

consumer = kafka.KafkaConsumer(
    "orders-py",
    auto_offset_reset="earliest",
    consumer_timeout_ms=20000,
    group_id="ann-py",
    **named("ann", "ann,secret=", "SCRAM-SHA-512"),
)
values = {next(consumer).value for _ in mechanisms}
check("values", values, {m.encode() for m in mechanisms})
consumer.close()

producer = kafka.KafkaProducer(max_block_ms=20000, **named("bob", "bob-secret", "PLAIN"))
try:
    producer.send("orders", value=b"no").get(timeout=30)
    sys.exit("FAILED: bob may write")
except kafka.errors.TopicAuthorizationFailedError:
    pass
producer.close()

for mechanism in mechanisms:
    try:
        kafka.KafkaAdminClient(api_version_auto_timeout_ms=5000, **named("ann", "wrong", mechanism))
        sys.exit(f"FAILED: let in with a wrong password by {mechanism}")
    except kafka.errors.KafkaError:
        pass


def settings(user, password, mechanism, **more):
    return {
        "bootstrap.servers": address,
        "security.protocol": "SASL_PLAINTEXT",
        "sasl.mechanism": mechanism,
        "sasl.username": user,
        "sasl.password": password,
        **more,
    }


for mechanism in mechanisms:
    admin = confluent_admin.AdminClient(settings("ann", "ann,secret=", mechanism))
    seen = {name for name in admin.list_topics(timeout=20).topics if not name.startswith("__")}
    check("topics of ann", seen, {"orders", "orders-secret", "orders-py"})

throttled = []
slow = confluent_kafka.Producer(
    settings("ann", "ann,secret=", "PLAIN", **{"client.id": "slow", "batch.size": 60000}),
    throttle_cb=lambda event: throttled.append(event.throttle_time),
)
for _ in range(6):
    slow.produce("orders-slow", b"x" * 50000)
check("not sent", slow.flush(60), 0)
check("throttled", bool(throttled) and max(throttled) > 0, True)

quick = confluent_kafka.Producer(
    settings("ann", "ann,secret=", "PLAIN", **{"transactional.id": "ann"}),
)
quick.init_transactions(20)
quick.begin_transaction()
quick.produce("orders-slow", b"quick")
quick.commit_transaction(20)
other = confluent_kafka.Producer(
    settings("ann", "ann,secret=", "PLAIN", **{"transactional.id": "bob"}),
)
try:
    other.init_transactions(20)
    sys.exit("FAILED: ann may have the transactions of bob")
except confluent_kafka.KafkaException as error:
    check("refused", error.args[0].name(), "TRANSACTIONAL_ID_AUTHORIZATION_FAILED")
print("kafka-python, confluent-kafka: all passed")
