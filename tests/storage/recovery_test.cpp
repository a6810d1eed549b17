#include <millrace/storage/inspect.hpp>
#include <millrace/storage/recovery.hpp>
#include <millrace/testing/simulated_disk.hpp>

#include "catch.hpp"
#include "fixture.hpp"

using namespace millrace;
using namespace millrace::test;
using storage::ControlFile;
using storage::RecoveryKind;

// What opening reports, case by case; tests/recovery has the campaigns.

namespace {

constexpr const char* first_log = "00000000000000000000.log";

storage::LogOptions visible_at_once() {
  storage::LogOptions options;
  options.visible_on_append = true;
  return options;
}

/// A log of five batches of three records, killed, with what is below `flushed` durable.
struct Killed {
  Place place{false};
  std::vector<std::uint64_t> ends{0};  // of the batches, in bytes

  explicit Killed(int flushed) {
    const auto log = open_log(place.directory, visible_at_once());
    for (std::int64_t i = 0; i < 5; ++i) {
      if (i == flushed) log->flush().value();
      append(*log, numbered(i * 3, 3));
      ends.push_back(log->control().active_end.load());
    }
    if (flushed == 5) log->flush().value();
  }
  /// As if the machine had been restarted since.
  void restart_machine() const {
    ControlFile::open_owner(place.directory).value().block().active_file[0].fetch_add(1);
  }
  void write(std::uint64_t position, std::string_view bytes) {
    place.directory->open(first_log, os::OpenMode::read_write)
        .value()
        .write_at(as_bytes(bytes), position)
        .value();
  }
  std::unique_ptr<storage::Log> open() const {
    return open_log(place.directory, visible_at_once());
  }
};

}  // namespace

TEST_CASE("an empty directory is a log that was created", "[storage][recover]") {
  const Place place(GENERATE(true, false));
  const auto log = open_log(place.directory, {});
  const auto& report = log->recovery();
  CHECK(report.kind == RecoveryKind::created);
  CHECK(report.log_end_offset == Offset{0});
  CHECK(report.scanned_bytes == 0);
  CHECK(report.damaged.empty());
}

TEST_CASE("bytes that a killed writer did not publish go", "[storage][recover]") {
  Killed killed(2);
  killed.write(killed.ends[5], std::string(100, 'x'));
  const auto log = killed.open();
  CHECK(log->recovery().kind == RecoveryKind::same_run);
  CHECK(log->recovery().truncated_bytes == 100);
  CHECK(log->log_end_offset() == Offset{15});
  CHECK(log->flushed_offset() == Offset{6});
  CHECK(difference(read_all(*log), numbered(0, 15)) == "");
}

TEST_CASE("after a restart of the machine all is read from the last flush on",
          "[storage][recover]") {
  Killed killed(2);
  killed.restart_machine();
  SECTION("all of it is there") {
    const auto log = killed.open();
    CHECK(log->recovery().kind == RecoveryKind::scanned);
    CHECK(log->recovery().scanned_bytes == killed.ends[5]);
    CHECK(log->log_end_offset() == Offset{15});
    CHECK(log->recovery().damaged.empty());
  }
  SECTION("a batch is torn: the log ends there") {
    killed.write(killed.ends[3] + 80, "torn");
    const auto log = killed.open();
    CHECK(log->log_end_offset() == Offset{9});
    // The last byte of a batch is a zero, the number of its last record's headers.
    CHECK(log->recovery().truncated_bytes == killed.ends[5] - killed.ends[3] - 1);
    CHECK(log->recovery().damaged.empty());
    CHECK(difference(read_all(*log), numbered(0, 9)) == "");
    append(*log, numbered(9, 3));
    CHECK(difference(read_all(*log), numbered(0, 12)) == "");
  }
  SECTION("it is a torn batch that was durable: it is reported and stepped over") {
    killed.write(killed.ends[0] + 80, "torn");
    const auto log = killed.open();
    CHECK(log->log_end_offset() == Offset{15});
    REQUIRE(log->recovery().damaged.size() == 1);
    CHECK(log->recovery().damaged[0] == OffsetRange{Offset{0}, Offset{3}});
    CHECK(log->recovery().truncated_bytes == 0);
    CHECK(difference(read_all(*log, Offset{3}, Offset{15}), numbered(3, 12)) == "");
  }
}

TEST_CASE("the last durable batch damaged leaves the end where it was", "[storage][recover]") {
  Killed killed(5);
  killed.restart_machine();
  killed.write(killed.ends[4] + 80, "torn");
  const auto log = killed.open();
  CHECK(log->log_end_offset() == Offset{15});  // its offsets are not given out again
  REQUIRE(log->recovery().damaged.size() == 1);
  CHECK(log->recovery().damaged[0] == OffsetRange{Offset{12}, Offset{15}});
  append(*log, numbered(15, 1));
  CHECK(difference(read_all(*log, Offset{0}, Offset{12}), numbered(0, 12)) == "");
  CHECK(difference(read_all(*log, Offset{15}, Offset{16}), numbered(15, 1)) == "");
}

TEST_CASE("a torn batch behind the hole of a compaction ends the log", "[storage][recover]") {
  const Place place(false);
  auto options = visible_at_once();
  options.cleanup_compact = true;
  const std::string torn_log = first_log;
  {
    const auto log = open_log(place.directory, options);
    append(*log, numbered(0, 3));
    log->flush().value();
    auto behind_hole = batch_of(numbered(6, 3));
    record::stamp_batch(behind_hole, Offset{6}, LeaderEpoch{0});
    log->append_as_given(behind_hole).value();
    log->roll().value();
  }
  ControlFile::open_owner(place.directory).value().block().active_file[0].fetch_add(1);
  ControlFile::open_owner(place.directory).value().block().flushed_offset.store(5);
  const auto size = place.directory->open(torn_log, os::OpenMode::read_only).value().size().value();
  place.directory->open(torn_log, os::OpenMode::read_write).value().resize(size - 1).value();
  const auto seen = storage::verify_partition(place.directory).value();
  CHECK(seen.unreadable().empty());
  const auto log = open_log(place.directory, options);
  CHECK(log->recovery().damaged.empty());
  CHECK(log->log_end_offset() == Offset{5});
  CHECK(difference(read_all(*log), numbered(0, 3)) == "");
}

TEST_CASE("an empty segment that a failed roll left below the end hides nothing",
          "[storage][recover]") {
  const int flushed = GENERATE(2, 4, 5);
  Killed killed(flushed);
  killed.place.directory->replace_file("00000000000000000009.log", "").value();
  SECTION("the machine ran on") {}
  SECTION("the machine was restarted") {
    killed.restart_machine();
  }
  const auto log = killed.open();
  CHECK(log->recovery().damaged.empty());
  CHECK(difference(read_all(*log), numbered(0, 15)) == "");
  append(*log, numbered(15, 3));
  CHECK(difference(read_all(*log), numbered(0, 18)) == "");
}

TEST_CASE("a damaged end of the flushed part stays taken, whatever empty segment was left behind",
          "[storage][recover]") {
  Killed killed(4);
  killed.place.directory->replace_file("00000000000000000006.log", "").value();
  killed.restart_machine();
  killed.write(killed.ends[3] + 80, "torn");
  killed.write(killed.ends[4], std::string(killed.ends[5] - killed.ends[4], '\0'));
  const auto log = killed.open();
  CHECK(log->log_end_offset() == Offset{12});  // its offsets are not given out again
  REQUIRE(log->recovery().damaged.size() == 1);
  CHECK(log->recovery().damaged[0] == OffsetRange{Offset{9}, Offset{12}});
  CHECK(difference(read_all(*log, Offset{0}, Offset{9}), numbered(0, 9)) == "");
}

TEST_CASE("damage at the end of a sealed segment takes nothing with it that was flushed behind it",
          "[storage][recover]") {
  const TempDirectory temp(TempDirectory::fast_parent());
  auto options = visible_at_once();
  options.cleanup_compact = true;
  static_cast<void>(os::open_directory(temp / "t-0", true).value());
  testing::SimulatedDisk disk(temp / "t-0");
  std::uint64_t torn = 0;
  {
    const auto log = open_log(os::open_directory(temp / "t-0", false, &disk).value(), options);
    append(*log, numbered(0, 3));
    log->flush().value();
    torn = log->control().active_end.load() + 80;
    append(*log, numbered(3, 3));
    log->roll().value();
    append(*log, numbered(6, 3));
    log->flush().value();  // of both segments at once
    append(*log, numbered(9, 3));
    log->flush().value();
  }
  const auto after = os::open_directory(temp / "after", true).value();
  disk.crash({.mode = testing::CrashMode::drop_unsynced}, *after).value();
  ControlFile::open_owner(after).value().block().active_file[0].fetch_add(1);
  after->open(first_log, os::OpenMode::read_write).value().write_at(as_bytes("torn"), torn).value();
  const auto log = open_log(after, options);
  CHECK(log->log_end_offset() == Offset{12});
  CHECK(difference(read_all(*log, Offset{0}, Offset{3}), numbered(0, 3)) == "");
  CHECK(difference(read_all(*log, Offset{6}, Offset{12}), numbered(6, 6)) == "");
}

TEST_CASE("a copy of the files is scanned, and has all of them", "[storage][recover]") {
  const Killed killed(2);
  const Place copy(false);
  for (const auto& entry : killed.place.directory->list().value()) {
    const auto content = killed.place.directory->read_file(entry.name).value();
    copy.directory->replace_file(entry.name, content).value();
  }
  const auto log = open_log(copy.directory, visible_at_once());
  CHECK(log->recovery().kind == RecoveryKind::scanned);
  CHECK(difference(read_all(*log), numbered(0, 15)) == "");
}

TEST_CASE("hints count only without a control file", "[storage][recover]") {
  const bool is_lost = GENERATE(true, false);
  const Killed killed(5);
  if (is_lost) killed.place.directory->remove(ControlFile::name).value();
  const auto log =
      storage::Log::open(killed.place.directory, visible_at_once(),
                         {.hints = {.recovery_point = Offset{15}, .log_start_offset = Offset{4}}})
          .value();
  CHECK(log->recovery().kind == (is_lost ? RecoveryKind::scanned : RecoveryKind::same_run));
  CHECK(log->log_start_offset() == (is_lost ? Offset{4} : Offset{0}));
  CHECK(log->log_end_offset() == Offset{15});
}

TEST_CASE("a lost last segment is reported, its offsets are not given out again",
          "[storage][recover]") {
  Killed killed(5);
  killed.restart_machine();
  killed.place.directory->remove(first_log).value();
  const auto log = killed.open();
  CHECK(log->log_start_offset() == Offset{15});
  CHECK(log->log_end_offset() == Offset{15});
  REQUIRE(log->recovery().damaged.size() == 1);
  CHECK(log->recovery().damaged[0] == OffsetRange{Offset{0}, Offset{15}});
}

TEST_CASE("a clean log whose file has another size is scanned", "[storage][recover]") {
  Killed killed(5);
  killed.open()->close().value();
  SECTION("longer") {
    killed.write(killed.ends[5], "more");
  }
  SECTION("shorter") {
    killed.place.directory->open(first_log, os::OpenMode::read_write)
        .value()
        .resize(killed.ends[4])
        .value();
  }
  const auto log = killed.open();
  CHECK(log->recovery().kind == RecoveryKind::scanned);
  CHECK(log->log_end_offset() == Offset{15});
  CHECK(difference(read_all(*log, Offset{0}, Offset{12}), numbered(0, 12)) == "");
}
