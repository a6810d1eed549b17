#include <millrace/engine/attached_partition.hpp>

#include "catch.hpp"
#include "storage/fixture.hpp"

using namespace millrace;
using namespace millrace::test;
using engine::AttachedPartition;

namespace {

storage::LogOptions visible_at_once() {
  storage::LogOptions options;
  options.visible_on_append = true;
  return options;
}

}  // namespace

TEST_CASE("an attached partition shows what its owner publishes", "[engine][attached]") {
  const Place place(false);
  auto log = open_log(place.directory, visible_at_once());
  const auto partition = AttachedPartition::open("orders", 3, place.directory).value();
  CHECK(partition->topic() == "orders");
  CHECK(partition->id() == 3);
  CHECK(partition->visible_end() == Offset{0});
  append(*log, numbered(0, 5));
  CHECK(partition->visible_end() == Offset{5});
  log->delete_before(Offset{2}).value();
  CHECK(partition->log_start_offset() == Offset{2});
  CHECK(read_all(partition->source(), Offset{2}, Offset{5}).size() == 3);
  partition->wake_flag()->sleepers.store(1);
  CHECK(log->control().sleepers.load() == 1);
}

TEST_CASE("an attached partition shows what was flushed if no more is to be trusted",
          "[engine][attached]") {
  const Place place(false);
  auto log = open_log(place.directory, visible_at_once());
  append(*log, numbered(0, 5));
  log->flush().value();
  append(*log, numbered(5, 5));
  auto& block = log->mutable_control();
  SECTION("the owner failed") {
    block.state.store(static_cast<std::uint32_t>(storage::ControlState::failed));
  }
  SECTION("the machine was restarted since") {
    block.active_file[0].fetch_add(1);
  }
  const auto partition = AttachedPartition::open("orders", 0, place.directory).value();
  CHECK(partition->visible_end() == Offset{5});
}

TEST_CASE("a partition without a usable control file cannot be attached", "[engine][attached]") {
  const Place place(false);
  const auto code = [&] {
    return AttachedPartition::open("orders", 0, place.directory).error().code();
  };
  CHECK(code() == Errc::corrupt_data);
  place.directory->replace_file(storage::ControlFile::name, "short").value();
  CHECK(code() == Errc::corrupt_data);
  std::string content(storage::ControlFile::file_bytes, 'x');
  place.directory->replace_file(storage::ControlFile::name, content).value();
  CHECK(code() == Errc::corrupt_data);
  auto log = open_log(place.directory, {});
  log->mutable_control().version = storage::ControlBlock::current_version + 1;
  CHECK(code() == Errc::newer_format);
}

TEST_CASE("a control file that its owner has not filled in shows nothing", "[engine][attached]") {
  const Place place(false);
  const std::string zeros(storage::ControlFile::file_bytes, '\0');
  place.directory->replace_file(storage::ControlFile::name, zeros).value();
  const auto partition = AttachedPartition::open("orders", 0, place.directory).value();
  CHECK(partition->visible_end() == Offset{0});
  CHECK(partition->log_start_offset() == Offset{0});
}
