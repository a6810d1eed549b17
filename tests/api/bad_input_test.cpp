// What a user is told, and what is left, when something is wrong. Names the thing and the remedy.
#include <boost/filesystem.hpp>
#include <fstream>
#include <millrace/millrace.hpp>
#include <millrace/testing/faulty_io.hpp>

#include "catch.hpp"
#include "temp_directory.hpp"

using namespace millrace;
using Catch::Matchers::Contains;
using millrace::os::IoOp;
using millrace::test::TempDirectory;

namespace {

Partition<std::string, std::string> only_partition(const Broker& broker) {
  return broker.topic<std::string, std::string>("orders").value().partition(0).value();
}

/// A directory with one topic of three records, closed.
void fill(const std::string& path) {
  const auto broker = Broker::open(path).value();
  const auto partition = only_partition(broker);
  for (const char* value : {"first", "second", "third"}) partition.append("k", value).value();
  broker.close().value();
}

std::string first_file(const TempDirectory& temp, const std::string& suffix) {
  return temp / "orders-0" + "/00000000000000000000" + suffix;
}

/// Inverts the byte at `position`.
void spoil(const std::string& path, std::int64_t position) {
  std::fstream file(path, std::ios::in | std::ios::out | std::ios::binary);
  file.seekg(position);
  const int byte = file.get();
  file.seekp(position);
  file.put(static_cast<char>(~byte));
}

}  // namespace

TEST_CASE("each rule for topic names has its words") {
  const auto broker = Broker::open(":memory:").value();
  const auto text = [&](const std::string& name) {
    const auto created = broker.create_topic(name);
    REQUIRE_FALSE(created);
    CHECK(created.error().code() == Errc::invalid_topic);
    return std::string(created.error().message());
  };
  CHECK_THAT(text(""), Contains("it is empty"));
  CHECK_THAT(text(".."), Contains("cannot be \".\" or \"..\""));
  CHECK_THAT(text(std::string(250, 'x')), Contains("has 250 characters, 249 is the limit"));
  CHECK_THAT(text("a b"), Contains("\"a b\"") && Contains("ASCII letters, digits, '.', '_'"));
  CHECK(broker.topics().value().empty());
  CHECK(broker.create_topic(std::string(249, 'x')));
}

TEST_CASE("an unknown topic or partition is named, with those there are") {
  const auto broker = Broker::open(":memory:").value();
  broker.create_topic("orders", {.partitions = 3}).value();
  const auto topic = broker.topic<std::string, std::string>("order", {.create_if_missing = false});
  REQUIRE_FALSE(topic);
  CHECK(topic.error().code() == Errc::unknown_topic);
  CHECK_THAT(topic.error().message(), Contains("no topic order in") && Contains("has: orders"));
  const auto orders = broker.topic<std::string, std::string>("orders").value();
  for (const PartitionId id : {-1, 3}) {
    const auto partition = orders.partition(id);
    REQUIRE_FALSE(partition);
    CHECK(partition.error().code() == Errc::unknown_partition);
    CHECK_THAT(partition.error().message(),
               Contains("topic orders has partitions 0 to 2, not " + std::to_string(id)));
  }
  CHECK(orders.partition(2).value().append("k", "v"));
}

TEST_CASE("an offset out of range is told the range") {
  const TempDirectory temp;
  fill(temp.path());
  const auto broker = Broker::open(temp.path()).value();
  const auto partition = only_partition(broker);
  const auto read = partition.read(Offset{7});
  REQUIRE_FALSE(read);
  CHECK(read.error().code() == Errc::offset_out_of_range);
  CHECK_THAT(read.error().message(), Contains("orders-0") &&
                                         Contains("offset 7 is outside [0, 3]") &&
                                         Contains("seek to an offset inside"));
  CHECK(partition.read(Offset{2}).value()->value() == "third");
}

TEST_CASE("a read-only file system is an error for owners and none for readers") {
  const TempDirectory temp;
  fill(temp.path());
  millrace::testing::FaultyIo io;
  io.fail({.os_code = EROFS, .ops = {IoOp::create, IoOp::write, IoOp::resize}, .for_ever = true});
  io.fail({.os_code = EROFS, .ops = {IoOp::open}, .path_suffix = ".lock", .for_ever = true});
  const auto broker = Broker::open(temp.path(), {.io_hooks = &io});
  REQUIRE_FALSE(broker);
  CHECK(broker.error().code() == Errc::read_only);
  CHECK_THAT(broker.error().message(),
             Contains(temp.path()) && Contains("check the mount and the permissions"));
  const auto reader = Broker::attach(temp.path()).value();
  CHECK(only_partition(reader).read(Offset{0}).value()->value() == "first");
}

TEST_CASE("a damaged batch is told by file, byte, offsets and what to do") {
  const TempDirectory temp;
  fill(temp.path());
  const auto bytes =
      static_cast<std::int64_t>(boost::filesystem::file_size(first_file(temp, ".log")));
  spoil(first_file(temp, ".log"), bytes / 2);
  const auto broker = Broker::open(temp.path()).value();
  const auto topic = broker.topic<std::string, std::string>("orders").value();
  Consumer consumer{topic};
  static_cast<void>(consumer.poll(std::chrono::milliseconds(0)));
  const auto damaged = consumer.poll(std::chrono::milliseconds(0));
  REQUIRE_FALSE(damaged);
  CHECK(damaged.error().code() == Errc::corrupt_data);
  CHECK_THAT(damaged.error().message(),
             Contains("orders-0: segment 00000000000000000000.log") && Contains("at byte ") &&
                 Contains("offsets [1, 2) cannot be read") && Contains("millrace log verify"));
  CHECK(topic.partition(0).value().read(Offset{2}).value()->value() == "third");
}

TEST_CASE("damaged derived files are made again without a word") {
  const TempDirectory temp;
  fill(temp.path());
  SECTION("time index") {
    spoil(first_file(temp, ".timeindex"), 5);
  }
  SECTION("offset index") {
    std::ofstream(first_file(temp, ".index")) << "rubbish";
  }
  SECTION("control file") {
    spoil(temp / "orders-0" + "/control", 3);
  }
  SECTION("leader epochs") {
    spoil(temp / "orders-0" + "/leader-epoch-checkpoint", 0);
  }
  SECTION("recovery points") {
    spoil(temp / "recovery-point-offset-checkpoint", 0);
  }
  const auto broker = Broker::open(temp.path()).value();
  const auto partition = only_partition(broker);
  CHECK(partition.offsets().end == Offset{3});
  CHECK(partition.read(Offset{1}).value()->value() == "second");
  CHECK(partition.offset_for_time(Timestamp{0}).value() == Offset{0});
  CHECK(partition.append("k", "fourth").value().offset == Offset{3});
}

TEST_CASE("an I/O error is told with the call, the file and the system's words") {
  const TempDirectory temp;
  millrace::testing::FaultyIo io;
  const auto broker = Broker::open(temp.path(), {.io_hooks = &io}).value();
  const auto partition = only_partition(broker);
  partition.append("k", "kept").value();
  SECTION("on write: the append fails, the log goes on") {
    io.fail({.ops = {IoOp::write}, .path_suffix = ".log"});
    const auto failed = partition.append("k", "lost");
    REQUIRE_FALSE(failed);
    CHECK(failed.error().code() == Errc::io_error);
    CHECK_THAT(failed.error().message(), Contains("orders-0: writing ") &&
                                             Contains("00000000000000000000.log") &&
                                             Contains("Input/output error"));
    CHECK(partition.append("k", "next").value().offset == Offset{1});
  }
  SECTION("on sync: the log stops, and says how it goes on") {
    io.fail({.ops = {IoOp::sync_data}, .path_suffix = ".log"});
    const auto failed = partition.append("k", "lost");
    REQUIRE_FALSE(failed);
    CHECK_THAT(failed.error().message(), Contains("sync") && Contains("00000000000000000000.log") &&
                                             Contains("Input/output error"));
    const auto stopped = partition.append("k", "refused");
    REQUIRE_FALSE(stopped);
    CHECK(stopped.error().code() == Errc::log_failed);
    CHECK_THAT(stopped.error().message(), Contains("orders-0") && Contains("close it and open it"));
  }
  CHECK(partition.read(Offset{0}).value()->value() == "kept");
}
