#include <millrace/engine/partition.hpp>
#include <millrace/testing/faulty_io.hpp>
#include <millrace/testing/manual_clock.hpp>

#include "catch.hpp"
#include "storage/fixture.hpp"
#include "storage/producer_fixture.hpp"

using namespace millrace;
using namespace millrace::test;
using Catch::Matchers::Contains;
using engine::ConfigMap;
using engine::Partition;

namespace {

/// A partition with all that it stands on.
struct Stand {
  testing::FaultyIo io;
  testing::ManualClock clock;
  engine::Scheduler scheduler{clock};
  os::DirectoryPtr directory = os::make_memory_directory(&io);
  engine::WakeHub hub = engine::WakeHub::open(directory, true).value();
  std::shared_ptr<Partition> partition;

  explicit Stand(const ConfigMap& settings = {}) { open(settings); }
  void open(const ConfigMap& settings) {
    const auto config = engine::parse_topic_config(settings).value();
    partition = std::make_shared<Partition>(
        "orders", 7, storage::Log::open(directory, config.log, {.clock = &clock}).value(), config,
        scheduler, hub);
  }
  storage::Appended append(std::string_view value = "v") {
    return partition->append_record(clock.now(), std::nullopt, as_bytes(value), {}).value();
  }
  Offset flushed() const { return partition->log().flushed_offset(); }
};

/// Kafka's names for flushing in the background only.
const ConfigMap every_10_ms = {{"flush.ms", "10"}};

}  // namespace

TEST_CASE("with flush before ack a record shows once it is acknowledged", "[engine][partition]") {
  Stand stand;
  const auto done = stand.append();
  CHECK(stand.partition->visible_end() == Offset{0});
  CHECK(stand.partition->wait_acknowledged(done.next_offset).value());
  CHECK(stand.partition->visible_end() == Offset{1});
  CHECK(stand.flushed() == Offset{1});
}

TEST_CASE("without it a record shows at once, and its ack is not durable", "[engine][partition]") {
  Stand stand(ConfigMap{{"millrace.flush.policy", "by_os"}});
  const auto done = stand.append();
  CHECK(stand.partition->visible_end() == Offset{1});
  CHECK_FALSE(stand.partition->wait_acknowledged(done.next_offset).value());
  CHECK(stand.flushed() == Offset{0});
  stand.partition->flush().value();
  CHECK(stand.flushed() == Offset{1});
}

TEST_CASE("a reader that sleeps is called when a record shows, not before", "[engine][partition]") {
  Stand stand;
  stand.partition->wake_flag()->sleepers.store(1);
  const auto done = stand.append();
  CHECK(stand.partition->wake_flag()->sleepers.load() == 1);
  stand.partition->wait_acknowledged(done.next_offset).value();
  CHECK(stand.partition->wake_flag()->sleepers.load() == 0);
}

TEST_CASE("an interval flush counts from the first record that waits", "[engine][partition]") {
  Stand stand(every_10_ms);
  stand.append();
  CHECK(stand.scheduler.next_due() == stand.clock.steady() + std::chrono::milliseconds(10));
  stand.clock.advance(std::chrono::milliseconds(6));
  stand.append();
  stand.scheduler.run_pending(stand.clock.steady());
  CHECK(stand.flushed() == Offset{0});
  stand.clock.advance(std::chrono::milliseconds(4));
  stand.scheduler.run_pending(stand.clock.steady());
  CHECK(stand.flushed() == Offset{2});
  stand.scheduler.run_pending(stand.clock.steady());
  CHECK_FALSE(stand.scheduler.next_due());
  stand.append();
  CHECK(stand.scheduler.next_due() == stand.clock.steady() + std::chrono::milliseconds(10));
}

TEST_CASE("a flush that failed in the background is told to the next append",
          "[engine][partition]") {
  Stand stand(every_10_ms);
  stand.append();
  stand.scheduler.run_pending(stand.clock.steady());
  stand.io.fail({.ops = {os::IoOp::sync_range, os::IoOp::sync_data}, .for_ever = true});
  stand.clock.advance(std::chrono::milliseconds(10));
  stand.scheduler.run_pending(stand.clock.steady());
  CHECK(stand.partition->log().has_failed());
  const auto refused = stand.partition->append_record(stand.clock.now(), {}, {}, {});
  REQUIRE_FALSE(refused);
  CHECK(refused.error().code() == Errc::log_failed);
  CHECK(refused.error().topic() == "orders");
  CHECK(refused.error().partition() == 7);
  stand.scheduler.run_pending(stand.clock.steady());
  CHECK_FALSE(stand.scheduler.next_due());  // it does not try for ever
}

TEST_CASE("work that is due after a partition is gone does nothing", "[engine][partition]") {
  Stand stand(every_10_ms);
  stand.append();
  stand.partition.reset();
  stand.clock.advance(std::chrono::milliseconds(10));
  CHECK(stand.scheduler.run_pending(stand.clock.steady()) > 0);
}

TEST_CASE("a batch that is refused names the topic and the partition", "[engine][partition]") {
  Stand stand(ConfigMap{{"max.message.bytes", "200"}});
  auto large = batch_of(numbered(0, 1, 300));
  const auto refused = stand.partition->append(large);
  REQUIRE_FALSE(refused);
  CHECK(refused.error().code() == Errc::record_too_large);
  CHECK(refused.error().topic() == "orders");
  std::vector<std::byte> rubbish(10);
  CHECK(stand.partition->append(rubbish).error().code() == Errc::invalid_record);
  CHECK(stand.partition->log().log_end_offset() == Offset{0});
}

TEST_CASE("a policy that is set leaves nothing unflushed behind", "[engine][partition]") {
  Stand stand(ConfigMap{{"millrace.flush.policy", "by_os"}});
  stand.append();
  stand.partition->set_flush_policy(engine::flush_before_ack()).value();
  CHECK(stand.flushed() == Offset{1});
  CHECK(stand.partition->flushes_before_ack());
  stand.append();
  CHECK(stand.partition->visible_end() == Offset{1});
  stand.partition->set_flush_policy(engine::flush_by_os()).value();
  CHECK(stand.partition->visible_end() == Offset{2});
}

TEST_CASE("a policy that cannot flush first is not set", "[engine][partition]") {
  Stand stand(ConfigMap{{"millrace.flush.policy", "by_os"}});
  stand.append();
  stand.io.fail({.ops = {os::IoOp::sync_range, os::IoOp::sync_data}, .for_ever = true});
  CHECK(stand.partition->set_flush_policy(engine::flush_before_ack()).error().topic() == "orders");
  CHECK_FALSE(stand.partition->flushes_before_ack());
  CHECK_FALSE(stand.partition->config().flush->before_ack());
}

TEST_CASE("cleaning keeps to the policy, whatever is to be cleaned", "[engine][partition]") {
  Stand stand(ConfigMap{{"retention.ms", "1000"}, {"segment.bytes", "1024"}});
  for (int i = 0; i < 50; ++i) stand.append(std::string(100, 'x'));
  stand.partition->flush().value();
  stand.partition->clean().value();
  CHECK(stand.partition->log_start_offset() == Offset{0});
  stand.clock.advance(std::chrono::milliseconds(1001));
  stand.partition->clean().value();
  CHECK(stand.partition->log_start_offset() == Offset{50});
  stand.partition->close().value();
  CHECK(stand.partition->clean().error().code() == Errc::closed);
  CHECK(stand.partition->clean().error().topic() == "orders");
}

TEST_CASE("cleaning with times at their ends", "[engine][partition]") {
  const std::string most = "9223372036854775807";
  Stand stand(ConfigMap{{"cleanup.policy", "compact,delete"},
                        {"delete.retention.ms", most},
                        {"file.delete.delay.ms", most},
                        {"min.cleanable.dirty.ratio", "0"},
                        {"retention.ms", most},
                        {"min.compaction.lag.ms", "0"},
                        {"max.compaction.lag.ms", most},
                        {"segment.ms", most}});
  const auto add = [&](const char* key, std::optional<Bytes> value) {
    stand.partition->append_record(stand.clock.now(), as_bytes(key), value, {}).value();
  };
  for (int round = 0; round < 3; ++round) {
    add("kept", as_bytes("old"));
    if (round == 0) {
      add("gone", as_bytes("old"));
      add("gone", std::nullopt);
    }
    stand.partition->flush().value();
    stand.partition->log().roll().value();
    stand.clock.advance(std::chrono::hours(24));
    stand.partition->clean().value();
  }
  const auto left = read_all(stand.partition->log());
  REQUIRE(left.size() == 2);
  CHECK(left[0].key == "gone");  // the deletion is told for ever
  CHECK_FALSE(left[0].value);
  CHECK(left[1].key == "kept");
}

TEST_CASE("a removed segment's files stay for as long as they are to", "[engine][partition]") {
  const std::string delay = GENERATE("60000", "9223372036854775807");
  Stand stand(ConfigMap{{"file.delete.delay.ms", delay}});
  const auto renamed = [&] {
    const auto entries = stand.directory->list().value();
    return std::count_if(entries.begin(), entries.end(),
                         [](const auto& entry) { return entry.name.ends_with(".deleted"); });
  };
  stand.append();
  stand.partition->flush().value();
  stand.partition->log().roll().value();
  stand.append();
  stand.partition->flush().value();
  stand.partition->log().delete_before(Offset{1}).value();
  CHECK(renamed() > 0);
  stand.partition->clean().value();
  CHECK(renamed() > 0);
  stand.clock.advance(std::chrono::milliseconds(60000));
  stand.partition->clean().value();
  CHECK((renamed() > 0) == (delay != "60000"));
}

TEST_CASE("producers are saved in the background after 16 MiB", "[engine][partition]") {
  Stand stand;
  const auto snapshots = [&] {
    std::size_t count = 0;
    const auto entries = stand.directory->list().value();
    for (const auto& entry : entries) count += entry.name.ends_with(".snapshot") ? 1 : 0;
    return count;
  };
  const std::vector<std::byte> value(900'000);
  for (std::int32_t i = 0; i < 19; ++i) {
    record::BatchBuilder builder({.producer = {7, 0, i}});
    builder.add(stand.clock.now(), std::nullopt, Bytes(value)).value();
    stand.partition->append(builder.finish().value()).value();
    if (i < 18) CHECK(snapshots() == 0);
  }
  CHECK(snapshots() == 0);
  stand.scheduler.run_pending(stand.clock.steady());
  CHECK(snapshots() == 1);
}

TEST_CASE("a coordinator's markers are taken, a producer's are not", "[engine][partition]") {
  Stand stand;
  auto marker = bytes_of(Marker{});
  const auto refused = stand.partition->append(marker);
  REQUIRE_FALSE(refused);
  CHECK(refused.error().code() == Errc::invalid_record);
  CHECK(refused.error().topic() == "orders");
  CHECK(stand.partition->append(marker, storage::AppendOrigin::coordinator).has_value());
}

TEST_CASE("cleaning forgets producers that do not write", "[engine][partition]") {
  Stand stand;
  auto batch = bytes_of(ProducerBatch{});
  stand.partition->append(batch).value();
  stand.partition->clean().value();
  stand.clock.advance(std::chrono::hours(24));
  CHECK(stand.partition->append(batch)->is_duplicate);
  stand.partition->clean().value();
  CHECK_FALSE(stand.partition->append(batch)->is_duplicate);
}
