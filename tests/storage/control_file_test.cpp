#include <millrace/storage/control_file.hpp>
#include <millrace/testing/faulty_io.hpp>

#include "catch.hpp"
#include "fixture.hpp"

using namespace millrace;
using namespace millrace::test;
using Catch::Matchers::Contains;
using storage::ControlBlock;
using storage::ControlFile;
using storage::ControlState;

TEST_CASE("a new control file means nothing until it is initialised", "[storage][control]") {
  const Place place(GENERATE(true, false));
  const auto control = ControlFile::open_owner(place.directory).value();
  CHECK_FALSE(control.is_valid());
  ControlFile mine = ControlFile::open_owner(place.directory).value();
  mine.initialise();
  CHECK(mine.is_valid());
  CHECK(control.is_valid());  // both map one file
  CHECK(static_cast<ControlState>(mine.block().state.load()) == ControlState::unknown);
  CHECK(mine.block().first_unstable_offset == ControlBlock::no_unstable_offset);
  CHECK(mine.block().leader_epoch == -1);
}

TEST_CASE("a control file keeps its inode and its content when it is opened again",
          "[storage][control]") {
  const Place place(false);
  const auto attached_to = [&] { return ControlFile::attach(place.directory).value(); };
  auto first = ControlFile::open_owner(place.directory).value();
  first.initialise();
  const auto attached = attached_to();
  first.block().log_end_offset.store(42);
  first = {};
  const auto second = ControlFile::open_owner(place.directory).value();
  CHECK(second.block().log_end_offset.load() == 42);
  second.block().log_end_offset.store(43);
  CHECK(attached.block().log_end_offset.load() == 43);
  attached.block().sleepers.store(1);
  CHECK(second.block().sleepers.load() == 1);
}

TEST_CASE("another magic or version is not valid", "[storage][control]") {
  const Place place(true);
  auto control = ControlFile::open_owner(place.directory).value();
  control.initialise();
  SECTION("version") {
    control.block().version += 1;
  }
  SECTION("magic") {
    control.block().magic += 1;
  }
  CHECK_FALSE(control.is_valid());
}

TEST_CASE("the seal covers every field that opening trusts", "[storage][control]") {
  const Place place(true);
  auto control = ControlFile::open_owner(place.directory).value();
  control.initialise();
  control.seal();
  ControlBlock& block = control.block();
  CHECK(static_cast<ControlState>(block.state.load()) == ControlState::clean);
  REQUIRE(control.is_sealed());
  for (auto* field : {&block.high_watermark, &block.log_end_offset, &block.active_base_offset,
                      &block.flushed_offset, &block.log_start_offset, &block.producer_snapshot,
                      &block.first_unsaved_offset}) {
    field->fetch_add(1);
    CHECK_FALSE(control.is_sealed());
    field->fetch_sub(1);
    CHECK(control.is_sealed());
  }
  block.active_end.fetch_add(1);
  CHECK_FALSE(control.is_sealed());
  block.active_end.fetch_sub(1);
  block.compacted.store(1);
  CHECK_FALSE(control.is_sealed());
  block.compacted.store(0);
  block.sleepers.store(1);  // by readers, whenever they like
  CHECK(control.is_sealed());
}

TEST_CASE("an identity goes through the block unharmed", "[storage][control]") {
  const auto block = std::make_unique<ControlBlock>();
  os::FileIdentity identity;
  for (std::size_t i = 0; i < identity.boot_id.size(); ++i) {
    identity.boot_id[i] = static_cast<std::uint8_t>(i + 1);
  }
  identity.device = 1;
  identity.inode = std::numeric_limits<std::uint64_t>::max();
  identity.mount = 3;
  storage::store_identity(*block, identity);
  CHECK(storage::load_identity(*block) == identity);
  CHECK(storage::load_boot_id(*block) == identity.boot_id);
}

TEST_CASE("a control file that is cut short is made whole by its owner only",
          "[storage][control]") {
  const Place place(false);
  place.directory->replace_file(ControlFile::name, "half").value();
  const auto attached = ControlFile::attach(place.directory);
  REQUIRE_FALSE(attached);
  CHECK(attached.error().code() == Errc::corrupt_data);
  CHECK_THAT(attached.error().message(),
             Contains("cut short") && Contains("open the directory once with its owner"));
  const auto owned = ControlFile::open_owner(place.directory).value();
  CHECK_FALSE(owned.is_valid());
  CHECK(ControlFile::attach(place.directory));
}

TEST_CASE("without room a new control file is kept in memory, an old one never",
          "[storage][control]") {
  testing::FaultyIo io;
  const Place place(false, &io);
  const bool is_new = GENERATE(true, false);
  const int code = GENERATE(ENOSPC, EIO);
  if (!is_new) ControlFile::open_owner(place.directory).value().initialise();
  const auto op = is_new ? os::IoOp::reserve : os::IoOp::open;
  io.fail({.os_code = code, .ops = {op}, .path_suffix = ControlFile::name, .for_ever = true});
  auto opened = ControlFile::open_owner(place.directory);
  CHECK(opened.has_value() == (is_new && code == ENOSPC));
  if (!opened) return;
  opened->initialise();
  CHECK(opened->is_valid());
  CHECK(opened->sync());
}
