#include <millrace/engine/broker_core.hpp>
#include <millrace/engine/producer_ids.hpp>
#include <millrace/storage/checkpoint.hpp>
#include <millrace/testing/faulty_io.hpp>
#include <millrace/testing/simulated_disk.hpp>
#include <set>
#include <thread>

#include "catch.hpp"
#include "temp_directory.hpp"

using Catch::Matchers::Contains;
using millrace::Errc;
using millrace::engine::ProducerIds;
using millrace::record::ProducerIdentity;
namespace engine = millrace::engine;
namespace os = millrace::os;
namespace storage = millrace::storage;
namespace testing = millrace::testing;

namespace {

std::int64_t none_known() {
  return -1;
}

void write_ids(const os::DirectoryPtr& directory, const std::string& entry) {
  directory->replace_file(ProducerIds::file_name, storage::format_checkpoint({entry})).value();
}

}  // namespace

TEST_CASE("producer ids go up by one, over the end of a block", "[engine][producer_ids]") {
  ProducerIds ids(os::make_memory_directory(), none_known);
  for (std::int64_t id = 0; id < 2 * ProducerIds::block_size + 1; ++id) {
    REQUIRE(ids.take().value() == ProducerIdentity{id, 0, 0});
  }
}

TEST_CASE("nothing is written before the first producer", "[engine][producer_ids]") {
  const auto directory = os::make_memory_directory();
  ProducerIds ids(directory, none_known);
  CHECK_FALSE(directory->exists(ProducerIds::file_name).value());
  ids.take().value();
  CHECK(directory->read_file(ProducerIds::file_name).value() ==
        storage::format_checkpoint({storage::with_checksum("1000")}));
}

TEST_CASE("after a restart the next block begins", "[engine][producer_ids]") {
  const auto directory = os::make_memory_directory();
  for (const std::int64_t first : {0, 1000, 2000}) {
    ProducerIds ids(directory, none_known);
    CHECK(ids.take().value().id == first);
    CHECK(ids.take().value().id == first + 1);
  }
}

TEST_CASE("no id is given out twice, wherever the power fails", "[engine][producer_ids]") {
  const millrace::test::TempDirectory temp(millrace::test::TempDirectory::fast_parent());
  testing::SimulatedDisk disk(temp.path());
  const auto directory = os::open_directory(temp.path(), false, &disk).value();
  ProducerIds ids(directory, none_known);
  for (int blocks = 1; blocks <= 3; ++blocks) {
    std::int64_t largest = -1;
    for (int i = 0; i < ProducerIds::block_size; ++i) largest = ids.take().value().id;
    const auto image = disk.snapshot().value();
    for (const auto mode : {testing::CrashMode::drop_unsynced, testing::CrashMode::keep_all,
                            testing::CrashMode::random_sectors}) {
      const auto crashed = os::make_memory_directory();
      image.materialize({.mode = mode}, *crashed).value();
      CHECK(ProducerIds(crashed, none_known).take().value().id > largest);
    }
  }
}

TEST_CASE("no id is given out while its block could not be noted", "[engine][producer_ids]") {
  for (std::uint64_t nth = 1;; ++nth) {
    const millrace::test::TempDirectory temp(millrace::test::TempDirectory::fast_parent());
    testing::FaultyIo io;
    const auto directory = os::open_directory(temp.path(), false, &io).value();
    ProducerIds ids(directory, none_known);
    io.fail({.nth = nth, .os_code = ENOSPC});
    const auto refused = ids.take();
    const bool failed = !io.failures().empty();
    INFO("call " << nth);
    REQUIRE(refused.has_value() == !failed);
    if (!failed) break;
    CHECK(refused.error().code() == Errc::no_space);
    const std::int64_t taken = ids.take().value().id;
    CHECK(ProducerIds(directory, none_known).take().value().id > taken);
    REQUIRE(nth < 100);
  }
}

TEST_CASE("a damaged file of producer ids is named, with what to do", "[engine][producer_ids]") {
  const auto directory = os::make_memory_directory();
  const std::string whole = storage::format_checkpoint({storage::with_checksum("1000")});
  for (std::size_t at = 0; at < whole.size(); ++at) {
    std::string text = whole;
    text[at] = static_cast<char>(text[at] ^ 1);
    directory->replace_file(ProducerIds::file_name, text).value();
    INFO(text);
    const auto refused = ProducerIds(directory, none_known).take();
    REQUIRE_FALSE(refused);
    CHECK(refused.error().code() == Errc::corrupt_data);
    CHECK_THAT(refused.error().message(), Contains("producer-ids") && Contains("remove it"));
    CHECK(directory->read_file(ProducerIds::file_name).value() == text);
  }
  for (const char* text : {"", "0\n0\n", "0\n1\n1000\n"}) {
    directory->replace_file(ProducerIds::file_name, text).value();
    CHECK(ProducerIds(directory, none_known).take().error().code() == Errc::corrupt_data);
  }
  for (const char* number : {"-1", "", "1 1", "99999999999999999999"}) {
    write_ids(directory, storage::with_checksum(number));
    CHECK(ProducerIds(directory, none_known).take().error().code() == Errc::corrupt_data);
  }
}

TEST_CASE("ids that a log knows are passed over", "[engine][producer_ids]") {
  const auto directory = os::make_memory_directory();
  std::int64_t known = 41;
  ProducerIds ids(directory, [&] { return known; });
  CHECK(ids.take().value().id == 42);
  known = 7;
  CHECK(ProducerIds(directory, [&] { return known; }).take().value().id == 1042);
  known = std::numeric_limits<std::int64_t>::max();
  const auto refused = ProducerIds(directory, [&] { return known; }).take();
  REQUIRE_FALSE(refused);
  CHECK(refused.error().code() == Errc::unsupported);
}

TEST_CASE("an id that is given back is taken at the next epoch", "[engine][producer_ids]") {
  ProducerIds ids(os::make_memory_directory(), none_known);
  const auto first = ids.take().value();
  const auto second = ids.take().value();
  ids.give_back({first.id, first.epoch, 12345});
  CHECK(ids.take().value() == ProducerIdentity{first.id, 1, 0});
  CHECK(ids.take().value() == ProducerIdentity{second.id + 1, 0, 0});
}

TEST_CASE("an id is used up to the largest epoch, then not again", "[engine][producer_ids]") {
  ProducerIds ids(os::make_memory_directory(), none_known);
  for (std::int32_t epoch = 0; epoch <= ProducerIds::largest_epoch; ++epoch) {
    const auto identity = ids.take().value();
    REQUIRE(identity == ProducerIdentity{0, static_cast<std::int16_t>(epoch), 0});
    ids.give_back(identity);
  }
  CHECK(ids.take().value() == ProducerIdentity{1, 0, 0});
}

TEST_CASE("threads that take and give back never share an identity", "[engine][producer_ids]") {
  ProducerIds ids(os::make_memory_directory(), none_known);
  std::vector<std::vector<ProducerIdentity>> taken(4);
  std::vector<std::thread> threads;
  for (auto& mine : taken) {
    threads.emplace_back([&ids, &mine] {
      for (int i = 0; i < 2000; ++i) {
        const auto identity = ids.take();
        if (!identity) return;
        mine.push_back(*identity);
        if (i % 3 != 0) ids.give_back(*identity);
      }
    });
  }
  for (auto& thread : threads) thread.join();
  std::set<std::pair<std::int64_t, std::int16_t>> all;
  for (const auto& mine : taken) {
    CHECK(mine.size() == 2000);
    for (const auto& identity : mine) all.emplace(identity.id, identity.epoch);
  }
  CHECK(all.size() == 8000);
}

TEST_CASE("a closed broker gives out no ids and writes nothing", "[engine][producer_ids]") {
  const millrace::test::TempDirectory temp;
  const auto core = engine::BrokerCore::open(temp.path(), {}).value();
  core->close().value();
  CHECK(core->take_producer_id().error().code() == Errc::closed);
  const auto directory = os::open_directory(temp.path(), false).value();
  CHECK_FALSE(directory->exists(ProducerIds::file_name).value());
  ProducerIds ids(directory, none_known);
  ids.close();
  CHECK(ids.take().error().code() == Errc::closed);
}

TEST_CASE("an attachment gives out no ids", "[engine][producer_ids]") {
  const millrace::test::TempDirectory temp;
  const auto owner = engine::BrokerCore::open(temp.path(), {}).value();
  const auto attached = engine::BrokerCore::attach(temp.path(), {}).value();
  CHECK(attached->take_producer_id().error().code() == Errc::read_only);
  attached->give_back({0, 0, 0});
  CHECK(owner->take_producer_id().value().id == 0);
}

TEST_CASE("without the file, a broker's ids begin behind those in its logs",
          "[engine][producer_ids]") {
  const millrace::test::TempDirectory temp;
  {
    const auto core = engine::BrokerCore::open(temp.path(), {}).value();
    const auto topic = core->create_topic("t", 2, {}).value();
    millrace::record::BatchBuilder builder({.producer = {5000, 0, 0}});
    builder.add(millrace::Timestamp{1}, millrace::as_bytes("k"), millrace::as_bytes("v")).value();
    topic->partitions[1]->append(builder.finish().value()).value();
    core->close().value();
  }
  const auto core = engine::BrokerCore::open(temp.path(), {}).value();
  CHECK(core->take_producer_id().value().id == 5001);
}

TEST_CASE("ids that somebody else has are passed over", "[engine][producer_ids]") {
  const auto directory = os::make_memory_directory();
  ProducerIds ids(directory, none_known);
  ids.note(4);
  CHECK(ids.take().value().id == 5);
  ids.note(3);
  CHECK(ids.take().value().id == 6);
  ids.note(7);  // within the block
  CHECK(ids.take().value().id == 1005);
  ids.note(5000);
  CHECK(ids.take().value().id == 5001);
}
