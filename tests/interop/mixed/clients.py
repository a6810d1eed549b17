"""kafka-python or confluent-kafka-python, as one of the clients of mixed_test.sh."""
import signal
import sys


def line_of(key, value, headers):
    def text(part):
        return "-1:" if part is None else f"{len(part)}:{part.decode()}"

    listed = ",".join(f"{name}={part.decode()}" for name, part in headers or [])
    return f"{text(key)} {text(value)} {listed}".rstrip()


def records_of(writer, codec):
    """What every writer writes in each codec: with headers, a tombstone, without a key."""
    key = f"{writer}-{codec}".encode()
    headers = [("h", codec.encode()), ("empty", b"")]
    return [(key, codec[:1].encode() * 500, headers), (key, None, []), (None, b"no key", [])]


def topic_of(writer, codec):
    """What every client can read stands by itself."""
    return f"{writer}-{'plain' if codec in ('none', 'gzip') else 'rest'}"


is_stopped = False


def stop(*_):
    """An exception would be lost: the libraries catch what their callbacks throw."""
    global is_stopped
    is_stopped = True


class KafkaPython:
    codecs = ("none", "gzip", "snappy", "lz4", "zstd")

    def __init__(self, address):
        import kafka

        self.kafka, self.address = kafka, address

    def produce(self, topic, codec, records):
        producer = self.kafka.KafkaProducer(
            bootstrap_servers=self.address, compression_type=None if codec == "none" else codec
        )
        for key, value, headers in records:
            producer.send(topic, key=key, value=value, headers=headers).get(timeout=30)
        producer.close()

    def consume(self, topic, count):
        consumer = self.kafka.KafkaConsumer(
            topic, bootstrap_servers=self.address, auto_offset_reset="earliest"
        )
        for record in consumer:
            print(line_of(record.key, record.value, record.headers))
            count -= 1
            if count == 0:
                break
        consumer.close()

    def join(self, group, topic):
        class Listener(self.kafka.ConsumerRebalanceListener):
            def on_partitions_revoked(self, revoked):
                pass

            def on_partitions_assigned(self, assigned):
                print("assigned", len(assigned), flush=True)

        consumer = self.kafka.KafkaConsumer(
            bootstrap_servers=self.address,
            group_id=group,
            auto_offset_reset="earliest",
            session_timeout_ms=6000,
            heartbeat_interval_ms=200,
            auto_commit_interval_ms=100,
        )
        consumer.subscribe([topic], listener=Listener())
        while not is_stopped:
            for records in consumer.poll(200).values():
                for record in records:
                    print("read", record.value.decode(), flush=True)
        consumer.close()


class Confluent:
    codecs = ("none", "gzip", "snappy", "lz4", "zstd")

    def __init__(self, address):
        import confluent_kafka

        self.kafka, self.settings = confluent_kafka, {"bootstrap.servers": address}

    def produce(self, topic, codec, records):
        producer = self.kafka.Producer({**self.settings, "compression.type": codec})
        for key, value, headers in records:
            producer.produce(topic, key=key, value=value, headers=headers)
            if producer.flush(30) != 0:
                sys.exit("a record was not taken in half a minute")

    def consumer(self, group):
        return self.kafka.Consumer(
            {
                **self.settings,
                "group.id": group,
                "auto.offset.reset": "earliest",
                "session.timeout.ms": 6000,
                "heartbeat.interval.ms": 200,
                "auto.commit.interval.ms": 100,
                "partition.assignment.strategy": "range",
            }
        )

    def consume(self, topic, count):
        consumer = self.consumer("reader")
        consumer.assign([self.kafka.TopicPartition(topic, 0, 0)])
        while count > 0:
            record = consumer.poll(1)
            if record is None:
                continue
            if record.error():
                sys.exit(str(record.error()))
            print(line_of(record.key(), record.value(), record.headers()))
            count -= 1
        consumer.close()

    def join(self, group, topic):
        consumer = self.consumer(group)
        consumer.subscribe(
            [topic], on_assign=lambda _, assigned: print("assigned", len(assigned), flush=True)
        )
        while not is_stopped:
            record = consumer.poll(0.2)
            if record is not None and not record.error():
                print("read", record.value().decode(), flush=True)
        consumer.close()


name, what, address, *rest = sys.argv[1:]
client = {"kafka-python": KafkaPython, "confluent": Confluent}[name](address)
signal.signal(signal.SIGTERM, stop)
if what == "produce":
    for each in client.codecs:
        client.produce(topic_of(name, each), each, records_of(name, each))
elif what == "consume":
    client.consume(rest[0], int(rest[1]))
else:
    client.join(*rest)
