#include <millrace/storage/file_names.hpp>
#include <millrace/storage/log_producers.hpp>
#include <millrace/storage/producer_snapshot.hpp>
#include <millrace/storage/transaction_index.hpp>
#include <millrace/testing/faulty_io.hpp>
#include <set>

#include "catch.hpp"
#include "storage/producing.hpp"

using namespace millrace;
using namespace millrace::test;
using storage::ControlBlock;
using storage::ControlFile;
using storage::Log;
using storage::RecoveryKind;

// What a log makes of its producers, whatever happens to it.

TEST_CASE("a batch sent twice is answered with where it went first", "[storage][log][producers]") {
  const Place place(GENERATE(true, false));
  const auto log = open_log(place.directory, {});
  const ProducerBatch batch{.sequence = 5, .count = 3};
  append(*log, numbered(0, 4));
  CHECK(try_append(*log, batch).value().base_offset == Offset{4});
  const auto bytes = log->control().active_end.load();
  CHECK(is_duplicate_at(*log, batch, 4));
  CHECK(log->control().active_end.load() == bytes);
  CHECK(refusal(*log, {.sequence = 9}) == Errc::out_of_order_sequence);
  CHECK(refusal(*log, {.epoch = 2, .sequence = 8}) == Errc::out_of_order_sequence);
  CHECK(log->log_end_offset() == Offset{7});
  CHECK(try_append(*log, ProducerBatch{.sequence = 8}).value().base_offset == Offset{7});
  log->close().value();
  CHECK(refusal(*log, batch) == Errc::closed);
}

TEST_CASE("a duplicate has the time at which it was appended", "[storage][log][producers]") {
  const Place place(true);
  testing::ManualClock clock;
  const auto log =
      open_log(place.directory, {.timestamp_type = record::TimestampType::log_append_time}, clock);
  const auto first = try_append(*log, ProducerBatch{}).value();
  clock.advance(std::chrono::seconds(5));
  const auto again = try_append(*log, ProducerBatch{}).value();
  CHECK(again.is_duplicate);
  CHECK(again.append_time == first.append_time);
  CHECK(first.append_time != Timestamp::none());
}

TEST_CASE("replicated batches are taken over unchecked", "[storage][log][producers]") {
  const Place place(true);
  const auto log = open_log(place.directory, visible_at_once());
  const auto replicate = [&](const ProducerBatch& batch) {
    auto bytes = bytes_of(batch);
    record::stamp_batch(bytes, log->log_end_offset(), LeaderEpoch{0});
    return log->append_as_given(bytes).value();
  };
  replicate({.sequence = 5});
  replicate({.sequence = 5});
  replicate({.sequence = 50, .transactional = true});
  CHECK(log->log_end_offset() == Offset{3});
  CHECK(log->last_stable_offset() == Offset{2});
  CHECK(refusal(*log, {.sequence = 60}) == Errc::out_of_order_sequence);
  CHECK(is_duplicate_at(*log, {.sequence = 5}, 1));
}

TEST_CASE("readers of committed records stop at the first open transaction",
          "[storage][log][producers]") {
  const Place place(GENERATE(true, false));
  const bool at_once = GENERATE(true, false);
  storage::LogOptions options;
  options.visible_on_append = at_once;
  const auto log = open_log(place.directory, options);
  const auto stable = [&] {
    if (!at_once) log->flush().value();
    return log->last_stable_offset().value();
  };
  append(*log, numbered(0, 3));
  CHECK(stable() == 3);
  try_append(*log, ProducerBatch{.id = 1, .transactional = true}).value();  // 3
  CHECK(stable() == 3);
  try_append(*log, ProducerBatch{.id = 2, .transactional = true}).value();  // 4
  append(*log, numbered(5, 3));
  CHECK(stable() == 3);
  try_append(*log, Marker{.id = 1}).value();  // 8
  if (!at_once) CHECK(log->last_stable_offset() == Offset{3});
  CHECK(stable() == 4);
  CHECK(storage::find_aborted(*log, {Offset{0}, Offset{9}}).value().empty());
  try_append(*log, Marker{.id = 2, .commit = false}).value();  // 9
  if (!at_once) CHECK(log->last_stable_offset() == Offset{4});
  CHECK(stable() == 10);
  CHECK(log->control().first_unstable_offset == ControlBlock::no_unstable_offset);
  CHECK(storage::find_aborted(*log, {Offset{0}, Offset{9}}).value().size() == 1);
}

TEST_CASE("a log says which transactions are open, the oldest first", "[storage][log][producers]") {
  Producing producing;
  auto& log = producing.log;
  using Open = std::vector<std::pair<std::int64_t, Offset>>;
  const auto open = [&] {
    Open all;
    for (const auto& one : log->open_transactions()) {
      all.emplace_back(one.id, one.transaction.value());
    }
    return all;
  };
  CHECK(open().empty());
  try_append(*log, ProducerBatch{.id = 3}).value();                                     // 0
  try_append(*log, ProducerBatch{.id = 2, .count = 2, .transactional = true}).value();  // 1
  try_append(*log, ProducerBatch{.id = 1, .transactional = true}).value();              // 3
  const ProducerBatch next{.id = 2, .sequence = 2, .transactional = true};
  try_append(*log, next).value();  // 4
  CHECK(open() == Open{{2, Offset{1}}, {1, Offset{3}}});
  producing.reopen();
  CHECK(open() == Open{{2, Offset{1}}, {1, Offset{3}}});
  try_append(*log, Marker{.id = 2}).value();  // 5
  CHECK(open() == Open{{1, Offset{3}}});
  log->truncate_to(Offset{5}).value();
  CHECK(open() == Open{{2, Offset{1}}, {1, Offset{3}}});
  try_append(*log, Marker{.id = 1, .commit = false}).value();
  try_append(*log, Marker{.id = 2, .commit = false}).value();
  CHECK(open().empty());
}

TEST_CASE("an open transaction does not reach below the log's start", "[storage][log][producers]") {
  const Place place(true);
  const auto log = open_log(place.directory, visible_at_once());
  try_append(*log, ProducerBatch{.count = 4, .transactional = true}).value();
  log->delete_before(Offset{3}).value();
  CHECK(log->last_stable_offset() == Offset{3});
  try_append(*log, Marker{}).value();
  CHECK(log->last_stable_offset() == Offset{5});
}

TEST_CASE("a log without producers has no files for them and reads nothing",
          "[storage][log][producers]") {
  Producing producing;
  append(*producing.log, numbered(0, 5));
  producing.log->roll().value();
  append(*producing.log, numbered(5, 5));
  const auto& block = producing.log->control();
  CHECK(block.producer_snapshot == -1);
  CHECK(block.first_unsaved_offset == ControlBlock::all_saved);
  CHECK(producing.reopen() == RecoveryKind::same_run);
  producing.close();
  CHECK(snapshots(producing.place.directory).empty());
  CHECK(producing.reopen() == RecoveryKind::clean);
}

TEST_CASE("producers outlive a close", "[storage][log][producers]") {
  Producing producing;
  producing.send(3);
  producing.close();
  CHECK(snapshots(producing.place.directory) == Offsets{6});
  CHECK(producing.reopen() == RecoveryKind::clean);
  CHECK(producing.log->control().state == static_cast<std::uint32_t>(storage::ControlState::clean));
  CHECK(producing.goes_on());
}

TEST_CASE("producers outlive a kill", "[storage][log][producers]") {
  Producing producing;
  const int before_snapshot = GENERATE(0, 2);
  producing.send(before_snapshot);
  producing.log->snapshot_producers().value();
  append(*producing.log, numbered(0, 5));
  producing.send(GENERATE(0, 1, 8) + 1);
  const bool twice = GENERATE(true, false);
  CHECK(producing.reopen() == RecoveryKind::same_run);
  if (twice) CHECK(producing.reopen() == RecoveryKind::same_run);
  // All five are known again, for they stand in the log behind the snapshot.
  if (producing.next_sequence >= 18) {
    for (std::int32_t i = 1; i <= 5; ++i) {
      const ProducerBatch batch{.sequence = producing.next_sequence - 2 * i, .count = 2};
      CHECK(
          is_duplicate_at(*producing.log, batch, producing.log->log_end_offset().value() - 2 * i));
    }
  }
  CHECK(producing.goes_on());
}

TEST_CASE("producers outlive a restart of the machine", "[storage][log][producers]") {
  Producing producing;
  producing.send(2);
  producing.log->roll().value();
  producing.send(2);
  if (GENERATE(true, false)) producing.log->flush().value();
  producing.send(1);
  producing.log.reset();
  restart_machine(producing.place.directory);
  SECTION("all is there") {
    CHECK(producing.reopen() == RecoveryKind::scanned);
    CHECK(producing.goes_on());
  }
  SECTION("without snapshots") {
    producing.place.directory->remove(snapshot_name(4)).value();
    CHECK(producing.reopen() == RecoveryKind::scanned);
    CHECK(producing.goes_on());
  }
  SECTION("without its control file") {
    producing.place.directory->remove(ControlFile::name).value();
    CHECK(producing.reopen() == RecoveryKind::scanned);
    CHECK(producing.goes_on());
  }
}

TEST_CASE("a log that ended earlier than its snapshot does without it",
          "[storage][log][producers]") {
  Producing producing;
  producing.send(2);
  producing.log->flush().value();
  const auto flushed = producing.log->control().active_end.load();
  producing.send(2);
  producing.log->snapshot_producers().value();
  CHECK(snapshots(producing.place.directory) == Offsets{8});
  producing.log.reset();
  restart_machine(producing.place.directory);
  damage(producing.place.directory, storage::file_name(Offset{0}, storage::log_suffix),
         flushed + 70);
  CHECK(producing.reopen() == RecoveryKind::scanned);
  CHECK(producing.log->log_end_offset() == Offset{4});
  CHECK(snapshots(producing.place.directory).empty());
  producing.next_sequence = 4;
  CHECK(producing.goes_on());
}

TEST_CASE("a damaged or missing snapshot is made up for", "[storage][log][producers]") {
  Producing producing;
  producing.send(2);
  producing.log->roll().value();
  producing.send(2);
  const bool is_clean = GENERATE(true, false);
  if (is_clean) {
    producing.close();
  } else {
    producing.log->snapshot_producers().value();
    producing.log.reset();
  }
  const auto& directory = producing.place.directory;
  REQUIRE(snapshots(directory) == Offsets{4, 8});
  SECTION("the newest is damaged") {
    damage(directory, snapshot_name(8), 30);
    producing.reopen();
    CHECK(snapshots(directory) == Offsets{4});
  }
  SECTION("the newest is gone") {
    directory->remove(snapshot_name(8)).value();
    producing.reopen();
  }
  SECTION("all are damaged") {
    damage(directory, snapshot_name(8), 30);
    damage(directory, snapshot_name(4), 30);
    producing.reopen();
    CHECK(snapshots(directory).empty());
  }
  SECTION("it is empty, as a loss of power may leave it") {
    directory->open(snapshot_name(8), os::OpenMode::replace).value();
    producing.reopen();
  }
  CHECK(producing.log->recovery().kind ==
        (is_clean ? RecoveryKind::clean : RecoveryKind::same_run));
  CHECK(producing.goes_on());
  producing.close();
  CHECK(snapshots(directory).contains(10));
}

TEST_CASE("a truncation takes producers back", "[storage][log][producers]") {
  Producing producing;
  producing.send(3);  // [0, 6)
  producing.log->roll().value();
  producing.send(3);  // [6, 12)
  producing.log->snapshot_producers().value();
  producing.send(1);  // [12, 14)
  const std::int64_t to = GENERATE(2, 6, 8, 12);
  producing.log->truncate_to(Offset{to}).value();
  const auto& directory = producing.place.directory;
  for (const std::int64_t offset : snapshots(directory)) CHECK(offset <= to);
  producing.next_sequence = static_cast<std::int32_t>(to);
  const int then = GENERATE(0, 1, 2);
  if (then == 1) producing.reopen();
  if (then == 2) {
    producing.close();
    producing.reopen();
  }
  CHECK(refusal(*producing.log, {.sequence = producing.next_sequence + 2}) ==
        Errc::out_of_order_sequence);
  CHECK(producing.goes_on());
}

TEST_CASE("a truncation opens a transaction again", "[storage][log][producers]") {
  const Place place(GENERATE(true, false));
  const auto log = open_log(place.directory, visible_at_once());
  try_append(*log, ProducerBatch{.count = 3, .transactional = true}).value();
  try_append(*log, Marker{.commit = false}).value();
  CHECK(log->last_stable_offset() == Offset{4});
  log->truncate_to(Offset{3}).value();
  CHECK(log->last_stable_offset() == Offset{0});
  CHECK(storage::find_aborted(*log, {Offset{0}, Offset{9}}).value().empty());
  try_append(*log, Marker{.commit = true}).value();
  CHECK(log->last_stable_offset() == Offset{4});
  CHECK(storage::find_aborted(*log, {Offset{0}, Offset{9}}).value().empty());
}

TEST_CASE("transactions outlive whatever ends the process", "[storage][log][producers]") {
  Producing producing;
  auto& log = producing.log;
  try_append(*log, ProducerBatch{.id = 1, .count = 2, .transactional = true}).value();  // 0
  try_append(*log, ProducerBatch{.id = 2, .count = 2, .transactional = true}).value();  // 2
  log->roll().value();
  try_append(*log, Marker{.id = 1, .commit = false}).value();  // 4
  append(*log, numbered(5, 2));
  const auto aborted = storage::find_aborted(*log, {Offset{0}, Offset{7}}).value();
  REQUIRE(aborted.size() == 1);
  const auto& directory = producing.place.directory;
  const std::string index = storage::file_name(Offset{4}, storage::transaction_index_suffix);
  SECTION("close") {
    producing.close();
  }
  SECTION("kill") {
    log.reset();
  }
  SECTION("kill in the middle of a second abort") {
    storage::append_transaction(directory, Offset{4}, {2, Offset{2}, Offset{7}, Offset{8}}).value();
    log.reset();
  }
  SECTION("restart of the machine, the index lost") {
    log.reset();
    restart_machine(directory);
    directory->remove(index).value();
  }
  SECTION("restart of the machine, the index longer than what was written") {
    log.reset();
    restart_machine(directory);
    auto file = directory->open(index, os::OpenMode::read_write).value();
    file.write_zeros(storage::transaction_entry_bytes, 10, 4096).value();
  }
  SECTION("the index is damaged") {
    producing.close();
    damage(directory, index, 1);
  }
  producing.reopen();
  CHECK(log->last_stable_offset() == Offset{2});
  CHECK(storage::find_aborted(*log, {Offset{0}, Offset{7}}).value() == aborted);
  try_append(*log, Marker{.id = 2, .commit = false}).value();  // 7
  CHECK(log->last_stable_offset() == Offset{8});
  CHECK(storage::find_aborted(*log, {Offset{0}, Offset{7}}).value().size() == 2);
}

TEST_CASE("a marker that cannot be stored leaves no trace", "[storage][log][producers]") {
  testing::FaultyIo io;
  const Place place(false, &io);
  const auto log = open_log(place.directory, visible_at_once());
  try_append(*log, ProducerBatch{.transactional = true}).value();
  const std::string suffix = GENERATE(".log", ".txnindex");
  io.fail({.os_code = ENOSPC, .ops = {os::IoOp::write, os::IoOp::create}, .path_suffix = suffix});
  CHECK(try_append(*log, Marker{.commit = false}).error().code() == Errc::no_space);
  CHECK(log->last_stable_offset() == Offset{0});
  CHECK(storage::find_aborted(*log, {Offset{0}, Offset{9}}).value().empty());
  try_append(*log, Marker{.commit = true}).value();
  CHECK(log->last_stable_offset() == Offset{2});
  CHECK(storage::find_aborted(*log, {Offset{0}, Offset{9}}).value().empty());
}

TEST_CASE("snapshots are written at rolls, kept for each segment, and no longer",
          "[storage][log][producers]") {
  Producing producing;
  const auto& directory = producing.place.directory;
  auto& log = producing.log;
  producing.send(2);
  log->roll().value();
  CHECK(snapshots(directory) == Offsets{4});
  append(*log, numbered(4, 2));
  log->roll().value();  // nothing new
  CHECK(snapshots(directory) == Offsets{4});
  producing.send(1);
  log->snapshot_producers().value();
  CHECK(snapshots(directory) == Offsets{4, 8});
  producing.send(1);
  log->snapshot_producers().value();
  CHECK(snapshots(directory) == Offsets{4, 10});
  producing.send(1);
  log->roll().value();
  CHECK(snapshots(directory) == Offsets{4, 12});
  CHECK(log->control().producer_snapshot == 12);
  CHECK(log->control().first_unsaved_offset == ControlBlock::all_saved);
  log->delete_before(Offset{12}).value();
  producing.send(1);
  log->roll().value();
  CHECK(snapshots(directory) == Offsets{12, 14});
  producing.reopen();
  CHECK(producing.goes_on());
}

TEST_CASE("a snapshot is asked for after so many bytes of producers", "[storage][log][producers]") {
  const Place place(true);
  const auto log = open_log(place.directory, visible_at_once());
  std::vector<std::byte> key(900'000);
  std::uint64_t sent = 0;
  for (std::int32_t i = 0; i < 40; ++i) {
    record::BatchBuilder builder({.producer = {7, 0, i}});
    builder.add(Timestamp{1}, Bytes(key), std::nullopt).value();
    auto bytes = builder.finish().value();
    sent += bytes.size();
    const auto done = log->append(bytes).value();
    CHECK(done.wants_snapshot == (sent >= storage::LogProducers::snapshot_bytes));
    if (!done.wants_snapshot) continue;
    log->snapshot_producers().value();
    sent = 0;
    CHECK(snapshots(place.directory) == Offsets{i + 1});
  }
  CHECK_FALSE(snapshots(place.directory).empty());
}

TEST_CASE("a full disk costs the snapshot only", "[storage][log][producers]") {
  testing::FaultyIo io;
  const Place place(false, &io);
  auto log = open_log(place.directory, visible_at_once());
  io.fail({.os_code = ENOSPC, .path_suffix = ".snapshot.tmp", .for_ever = true});
  try_append(*log, ProducerBatch{}).value();
  CHECK(log->snapshot_producers().error().code() == Errc::no_space);
  log->roll().value();
  try_append(*log, ProducerBatch{.sequence = 1}).value();
  log->close().value();
  CHECK(snapshots(place.directory).empty());
  log = open_log(place.directory, visible_at_once());
  CHECK(log->recovery().kind == RecoveryKind::clean);
  CHECK(is_duplicate_at(*log, {.sequence = 1}, 1));
}

TEST_CASE("producers that do not write are forgotten", "[storage][log][producers]") {
  Producing producing;
  producing.send(1);
  CHECK(producing.log->expire_producers() == 0);
  producing.clock.advance(std::chrono::hours(23));
  CHECK(producing.log->expire_producers() == 0);
  producing.clock.advance(std::chrono::hours(1));
  CHECK(producing.log->expire_producers() == 1);
  CHECK(try_append(*producing.log, ProducerBatch{.sequence = 99}).has_value());
}
