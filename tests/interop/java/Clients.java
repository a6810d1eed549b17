import java.time.Duration;
import java.util.*;
import java.util.concurrent.Future;
import org.apache.kafka.clients.consumer.*;
import org.apache.kafka.clients.producer.*;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.errors.ProducerFencedException;
import org.apache.kafka.common.serialization.*;

/** What Kafka's clients can do and its tools do not ask for. What is left open outlives a call. */
public class Clients {
  private static final Duration LONG = Duration.ofSeconds(60);
  private static Consumer<String, String> member;
  private static Producer<String, String> open;

  private static Producer<String, String> producer(String address, String transactionalId) {
    Map<String, Object> settings = new HashMap<>();
    settings.put("bootstrap.servers", address);
    settings.put("transactional.id", transactionalId);
    Producer<String, String> made =
        new KafkaProducer<>(settings, new StringSerializer(), new StringSerializer());
    made.initTransactions();
    return made;
  }

  private static Map<String, Object> groupSettings(String address, String group) {
    Map<String, Object> settings = new HashMap<>();
    settings.put("bootstrap.servers", address);
    settings.put("group.id", group);
    settings.put("enable.auto.commit", false);
    settings.put("auto.offset.reset", "earliest");
    settings.put("session.timeout.ms", 6000);
    settings.put("heartbeat.interval.ms", 200);
    settings.put("partition.assignment.strategy",
                 "org.apache.kafka.clients.consumer.RangeAssignor");
    return settings;
  }

  private static Consumer<String, String> consumer(String address, String isolation, String group) {
    Map<String, Object> settings = groupSettings(address, group);
    settings.put("isolation.level", isolation);
    return new KafkaConsumer<>(settings, new StringDeserializer(), new StringDeserializer());
  }

  private static void check(String what, Object got, Object wanted) {
    if (got.equals(wanted)) return;
    throw new IllegalStateException(what + ": got " + got + ", wanted " + wanted);
  }

  private static void send(Producer<String, String> to, String topic, String... values)
      throws Exception {
    List<Future<RecordMetadata>> sent = new ArrayList<>();
    for (String value : values) sent.add(to.send(new ProducerRecord<>(topic, 0, "k", value)));
    to.flush();
    for (Future<RecordMetadata> one : sent) one.get();
  }

  /** All that a reader sees up to the end as it is for him. */
  private static List<String> read(String address, String topic, String isolation) {
    TopicPartition partition = new TopicPartition(topic, 0);
    try (Consumer<String, String> reader = consumer(address, isolation, "reader")) {
      reader.assign(List.of(partition));
      reader.seek(partition, 0);
      long end = reader.endOffsets(List.of(partition)).get(partition);
      List<String> values = new ArrayList<>();
      long deadline = System.nanoTime() + LONG.toNanos();
      while (reader.position(partition) < end) {
        if (System.nanoTime() > deadline) throw new IllegalStateException("no end of " + topic);
        reader.poll(Duration.ofSeconds(1)).forEach(record -> values.add(record.value()));
      }
      return values;
    }
  }

  private static void transactions(String address) throws Exception {
    Producer<String, String> first = producer(address, "billing");
    first.beginTransaction();
    send(first, "bills", "a1", "a2");
    check("open, seen by all", read(address, "bills", "read_uncommitted"), List.of("a1", "a2"));
    check("open", read(address, "bills", "read_committed"), List.of());
    first.commitTransaction();
    first.beginTransaction();
    send(first, "bills", "b1");
    first.abortTransaction();
    first.beginTransaction();
    send(first, "bills", "c1");
    first.commitTransaction();
    check("committed", read(address, "bills", "read_committed"), List.of("a1", "a2", "c1"));
    copy(address, first);
    Producer<String, String> second = producer(address, "billing");
    first.beginTransaction();
    try {
      send(first, "bills", "lost");
      first.commitTransaction();
      throw new IllegalStateException("a fenced producer committed");
    } catch (ProducerFencedException fenced) {
      first.close();
    } catch (java.util.concurrent.ExecutionException fenced) {
      first.close(Duration.ZERO);
    }
    second.beginTransaction();
    send(second, "bills", "d1");
    second.commitTransaction();
    second.close();
    check("after fencing", read(address, "bills", "read_committed"),
          List.of("a1", "a2", "c1", "d1"));
  }

  /** What is consumed is committed with what is made of it, or not at all. */
  private static void copy(String address, Producer<String, String> to) throws Exception {
    TopicPartition partition = new TopicPartition("bills", 0);
    try (Consumer<String, String> source = consumer(address, "read_committed", "copier")) {
      source.subscribe(List.of("bills"));
      int count = 0;
      for (int round = 0; count < 3 && round < 60; ++round) {
        count += source.poll(Duration.ofSeconds(1)).count();
      }
      check("to copy", count, 3);
      Map<TopicPartition, OffsetAndMetadata> done =
          Map.of(partition, new OffsetAndMetadata(source.position(partition)));
      for (boolean isCommit : new boolean[] {false, true}) {
        to.beginTransaction();
        send(to, "copies", "copy");
        to.sendOffsetsToTransaction(done, source.groupMetadata());
        if (isCommit) to.commitTransaction(); else to.abortTransaction();
        OffsetAndMetadata known = source.committed(Set.of(partition)).get(partition);
        check("offset", known == null ? -1L : known.offset(),
              isCommit ? source.position(partition) : -1L);
      }
    }
    check("copies", read(address, "copies", "read_committed"), List.of("copy"));
  }

  /** Reads in a group until the machine is stopped; says what it is assigned and what it reads. */
  private static void stay(String address, String group, String topic) throws Exception {
    Map<String, Object> settings = groupSettings(address, group);
    settings.put("enable.auto.commit", true);
    settings.put("auto.commit.interval.ms", 100);
    Consumer<String, String> consumer =
        new KafkaConsumer<>(settings, new StringDeserializer(), new StringDeserializer());
    Thread reading = Thread.currentThread();
    Runtime.getRuntime().addShutdownHook(new Thread(() -> {
      consumer.wakeup();
      try {
        reading.join();
      } catch (InterruptedException ignored) {
        return;
      }
    }));
    try (consumer) {
      consumer.subscribe(List.of(topic), new ConsumerRebalanceListener() {
        @Override
        public void onPartitionsRevoked(Collection<TopicPartition> revoked) {}

        @Override
        public void onPartitionsAssigned(Collection<TopicPartition> assigned) {
          System.out.println("assigned " + assigned.size());
        }
      });
      while (true) {
        consumer.poll(LONG).forEach(record -> System.out.println("read " + record.value()));
      }
    } catch (org.apache.kafka.common.errors.WakeupException stopped) {
      return;
    }
  }

  public static void main(String[] words) throws Exception {
    switch (words[0]) {
      case "join" -> stay(words[1], words[2], words[3]);
      case "transactions" -> transactions(words[1]);
      case "open" -> {
        open = producer(words[1], words[2]);
        open.beginTransaction();
        send(open, words[3], "open");
      }
      case "close" -> open.close(Duration.ZERO);
      case "enter" -> {
        member = consumer(words[1], "read_uncommitted", words[2]);
        member.subscribe(List.of(words[3]));
        for (int round = 0; member.poll(Duration.ofSeconds(1)).isEmpty(); ++round) {
          if (round == 60) throw new IllegalStateException("nothing to read");
        }
        member.commitSync();
      }
      case "leave" -> member.close();
      default -> throw new IllegalArgumentException(words[0]);
    }
  }
}
