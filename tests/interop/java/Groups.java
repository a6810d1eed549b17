import java.time.Duration;
import java.util.*;
import org.apache.kafka.clients.admin.*;
import org.apache.kafka.clients.consumer.*;
import org.apache.kafka.clients.producer.*;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.errors.FencedInstanceIdException;
import org.apache.kafka.common.errors.ProducerFencedException;
import org.apache.kafka.common.serialization.*;

/** Groups whose members hand over partitions bit by bit, static members, and Kafka's admin client. */
public class Groups {
  private static final String TOPIC = "spread";
  private static String address;

  private static Consumer<String, String> member(String group, String instance, String assignor) {
    Map<String, Object> settings = new HashMap<>();
    settings.put("bootstrap.servers", address);
    settings.put("group.id", group);
    if (instance != null) settings.put("group.instance.id", instance);
    settings.put("auto.offset.reset", "earliest");
    settings.put("heartbeat.interval.ms", 100);
    settings.put("session.timeout.ms", 30000);
    settings.put("partition.assignment.strategy", "org.apache.kafka.clients.consumer." + assignor);
    Consumer<String, String> made =
        new KafkaConsumer<>(settings, new StringDeserializer(), new StringDeserializer());
    made.subscribe(List.of(TOPIC));
    return made;
  }

  private static void check(String what, Object got, Object wanted) {
    if (got.equals(wanted)) return;
    throw new IllegalStateException(what + ": got " + got + ", wanted " + wanted);
  }

  /** Polls all until they have so many partitions each, different ones. */
  @SafeVarargs
  private static void share(int each, Consumer<String, String>... members) {
    for (int round = 0; round < 3000; ++round) {
      Set<TopicPartition> all = new HashSet<>();
      boolean even = true;
      for (Consumer<String, String> member : members) {
        member.poll(Duration.ofMillis(20));
        even &= member.assignment().size() == each;
        all.addAll(member.assignment());
      }
      if (even && all.size() == each * members.length) return;
    }
    throw new IllegalStateException("members do not come to " + each + " partitions each");
  }

  private static void handOver(String assignor) {
    Consumer<String, String> first = member(assignor, null, assignor);
    share(6, first);
    Set<TopicPartition> before = Set.copyOf(first.assignment());
    Consumer<String, String> second = member(assignor, null, assignor);
    share(3, first, second);
    if (!assignor.equals("RangeAssignor")) {
      check("what the first one kept", before.containsAll(first.assignment()), true);
    }
    Consumer<String, String> third = member(assignor, null, assignor);
    share(2, first, second, third);
    first.close();
    share(3, second, third);
    second.close();
    third.close();
  }

  private static void stayStatic(Admin admin) throws Exception {
    Consumer<String, String> one = member("static", "one", "RangeAssignor");
    Consumer<String, String> two = member("static", "two", "RangeAssignor");
    share(3, one, two);
    Set<TopicPartition> had = Set.copyOf(one.assignment());
    int generation = one.groupMetadata().generationId();
    // Closing is no leaving for it: who comes back under its name has what it had.
    one.close();
    Consumer<String, String> again = member("static", "one", "RangeAssignor");
    share(3, again, two);
    check("partitions", again.assignment(), had);
    check("generation", again.groupMetadata().generationId(), generation);
    Consumer<String, String> rival = member("static", "one", "RangeAssignor");
    share(3, rival, two);
    try {
      for (int round = 0; round < 100; ++round) again.poll(Duration.ofMillis(100));
      throw new IllegalStateException("two members of one name");
    } catch (FencedInstanceIdException fenced) {
      again.close();
    }
    admin.removeMembersFromConsumerGroup("static",
        new RemoveMembersFromConsumerGroupOptions(List.of(new MemberToRemove("one")))).all().get();
    share(6, two);
    rival.close(Duration.ZERO);
    two.close(Duration.ZERO);
    admin.removeMembersFromConsumerGroup("static", new RemoveMembersFromConsumerGroupOptions())
        .all().get();
    admin.deleteConsumerGroups(List.of("static")).all().get();
  }

  private static void fence(Admin admin) throws Exception {
    Map<String, Object> settings = new HashMap<>();
    settings.put("bootstrap.servers", address);
    settings.put("transactional.id", "fenced");
    Producer<String, String> producer =
        new KafkaProducer<>(settings, new StringSerializer(), new StringSerializer());
    producer.initTransactions();
    producer.beginTransaction();
    producer.send(new ProducerRecord<>(TOPIC, 0, "k", "lost")).get();
    admin.fenceProducers(List.of("fenced")).all().get();
    try {
      producer.commitTransaction();
      throw new IllegalStateException("a fenced producer committed");
    } catch (ProducerFencedException fenced) {
      producer.close(Duration.ZERO);
    }
  }

  private static void administrate(Admin admin) throws Exception {
    TopicPartition first = new TopicPartition(TOPIC, 0);
    admin.alterConsumerGroupOffsets("made", Map.of(first, new OffsetAndMetadata(0, "note")))
        .all().get();
    check("offset", admin.listConsumerGroupOffsets("made").partitionsToOffsetAndMetadata().get()
        .get(first).metadata(), "note");
    long end = admin.listOffsets(Map.of(first, OffsetSpec.latest())).partitionResult(first).get()
        .offset();
    // One record of a transaction that was aborted, and its marker.
    check("end", end, 2L);
    check("nodes", admin.describeCluster().nodes().get().size(), 1);
    check("moving", admin.listPartitionReassignments().reassignments().get().size(), 0);
    admin.describeFeatures().featureMetadata().get();
    admin.deleteConsumerGroups(List.of("made")).all().get();
    admin.deleteTopics(List.of(TOPIC)).all().get();
  }

  public static void main(String[] words) throws Exception {
    address = words[0];
    try (Admin admin = Admin.create(Map.of("bootstrap.servers", (Object) address))) {
      admin.createTopics(List.of(new NewTopic(TOPIC, 6, (short) 1))).all().get();
      for (String assignor : List.of("RangeAssignor", "RoundRobinAssignor", "StickyAssignor",
                                     "CooperativeStickyAssignor")) {
        handOver(assignor);
      }
      stayStatic(admin);
      fence(admin);
      administrate(admin);
    }
  }
}
