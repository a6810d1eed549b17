// What goes away, and when: by age, by size, and by key. Time is a clock that we move ourselves,
// and there is no background thread: run_pending() does what is due.
#include <map>
#include <millrace/millrace.hpp>
#include <millrace/testing/manual_clock.hpp>

#include "example.hpp"

using example::check;
using namespace std::chrono_literals;

namespace {

struct House {
  millrace::testing::ManualClock clock;
  millrace::Broker broker;

  explicit House(const std::string& path)
      : broker(
            millrace::Broker::open(path, {.background_thread = false, .clock = &clock}).value()) {}

  /// Hours go by, and with them the checks that are due every five minutes.
  void pass(std::chrono::hours time) {
    clock.advance(time);
    broker.run_pending();
  }
};

long long number(millrace::Offset offset) {
  return offset.value();
}

void keep_one_day(House& house) {
  // Records go by whole segments, so these are small: Kafka's names, Kafka's rules.
  const auto topic =
      house.broker
          .topic<int, std::string>(
              "visits", {.settings = {{"segment.bytes", "16384"}, {"retention.ms", "86400000"}}})
          .value();
  const auto visits = topic.partition(0).value();
  const std::string text(100, 'v');
  for (int i = 0; i < 500; ++i) visits.append(i, text).value();
  house.pass(20h);
  check(visits.offsets().start == millrace::Offset{0}, "younger than a day: all there");
  for (int i = 500; i < 1000; ++i) visits.append(i, text).value();

  // A reader that holds a record keeps its bytes, whatever retention does meanwhile.
  const auto held = visits.read(millrace::Offset{0}).value();
  house.pass(6h);
  const auto [start, end] = visits.offsets();
  std::printf("by age: [0, 1000) became [%lld, %lld)\n", number(start), number(end));
  check(start > millrace::Offset{0} && start <= millrace::Offset{500}, "the first 500 are too old");
  check(end == millrace::Offset{1000}, "offsets are never given twice");
  check(held->value() == text, "what is being read stays readable");
  const auto gone = visits.read(millrace::Offset{0});
  check(!gone && gone.error().code() == millrace::Errc::offset_out_of_range,
        "what is gone says so");
}

void keep_some_bytes(House& house) {
  const auto topic =
      house.broker
          .topic<int, std::string>(
              "frames", {.settings = {{"segment.bytes", "16384"}, {"retention.ms", "-1"}}})
          .value();
  const auto frames = topic.partition(0).value();
  for (int i = 0; i < 1000; ++i) frames.append(i, std::string(100, 'f')).value();
  house.pass(1h);
  check(frames.offsets().start == millrace::Offset{0}, "without a limit nothing goes");
  // Settings can be changed while the topic is in use.
  house.broker.alter_topic("frames", {{"retention.bytes", "65536"}}).value();
  house.pass(1h);
  std::printf("by size: [%lld, %lld)\n", number(frames.offsets().start),
              number(frames.offsets().end));
  check(frames.offsets().start > millrace::Offset{0}, "what is above the limit goes");
  check(frames.offsets().end - frames.offsets().start > 300, "what is below it stays");
}

void keep_the_latest(House& house) {
  // Compaction keeps the last record of every key: a table that can be read from the start. It
  // leaves the active segment alone, so that a new segment every hour lets it get at old records.
  const auto topic = house.broker
                         .topic<std::string, std::string>(
                             "settings", {.settings = {{"cleanup.policy", "compact"},
                                                       {"segment.ms", "3600000"},
                                                       {"delete.retention.ms", "7200000"}}})
                         .value();
  {
    millrace::Producer producer{topic};
    for (int i = 0; i < 1000; ++i)
      producer.send("key-" + std::to_string(i % 10), std::to_string(i));
    producer.remove("key-3");  // a tombstone: a record without a value
    producer.flush().value();
  }
  const auto settings = topic.partition(0).value();
  house.pass(2h);
  settings.append("last", "rolls the segment").value();
  house.pass(1h);  // the first pass keeps the tombstone, for readers that are on their way
  house.pass(3h);  // and some time after delete.retention.ms it goes, with the next pass
  settings.append("again", "rolls once more").value();
  house.pass(1h);

  std::map<std::string, std::string> table;
  int records = 0;
  auto scan = settings.scan(settings.offsets().start);
  for (const auto& record : scan) {
    ++records;
    if (record.is_tombstone()) {
      table.erase(record.key());
    } else {
      table[record.key()] = record.value();
    }
  }
  check(scan.status().has_value(), "a compacted partition has gaps, not errors");
  std::printf("by key: 1003 records became %d\n", records);
  check(records < 20, "only the last record of each key is left");
  check(table.size() == 11 && table.count("key-3") == 0, "nine keys of ten, and two more");
  check(table["key-9"] == "999", "with their last values");
}

}  // namespace

int main(int argc, char** argv) {
  const example::DataDirectory data(argc, argv);
  House house(data.path());
  keep_one_day(house);
  keep_some_bytes(house);
  keep_the_latest(house);
  house.broker.close().value();
  return 0;
}
