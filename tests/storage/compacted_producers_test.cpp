#include <millrace/storage/log_cursor.hpp>
#include <millrace/storage/transaction_index.hpp>

#include "catch.hpp"
#include "storage/producing.hpp"

using namespace millrace;
using namespace millrace::test;

// What compaction leaves of a log's producers.

namespace {

/// Where the batches begin that are left.
std::vector<std::int64_t> batches(storage::Log& log) {
  std::vector<std::int64_t> found;
  storage::LogCursor cursor(log, Offset{0});
  for (;;) {
    const auto chunk = cursor.read(log.log_end_offset(), {.max_bytes = 1}).value();
    if (chunk.empty()) return found;
    found.push_back(record::BatchView::try_parse(chunk.bytes).base_offset().value());
  }
}

}  // namespace

TEST_CASE("compaction keeps producers and open transactions", "[storage][log][producers]") {
  Producing producing;
  producing.options.cleanup_compact = true;
  producing.options.segment_bytes = 2000;
  producing.reopen();
  auto& log = producing.log;
  // Batches of one key, so that all but the last record goes.
  for (std::int32_t i = 0; i < 40; ++i) {
    try_append(*log, ProducerBatch{.sequence = i, .time = producing.clock.now().milliseconds()})
        .value();
  }
  try_append(*log, ProducerBatch{.id = 8, .transactional = true}).value();                 // 40
  try_append(*log, Marker{.id = 8, .commit = false}).value();                              // 41
  try_append(*log, ProducerBatch{.id = 8, .sequence = 1, .transactional = true}).value();  // 42
  log->roll().value();
  log->flush().value();
  CHECK(log->compact(true).value() > 0);
  CHECK(log->last_stable_offset() == Offset{42});
  for (const bool lost : {false, true}) {
    if (lost) {
      log.reset();
      for (const std::int64_t offset : snapshots(producing.place.directory)) {
        producing.place.directory->remove(snapshot_name(offset)).value();
      }
    }
    producing.reopen();
    CHECK(log->last_stable_offset() == Offset{42});
    CHECK(is_duplicate_at(*log, {.sequence = 39}, 39));
    CHECK(refusal(*log, {.sequence = 41}) == Errc::out_of_order_sequence);
    CHECK(is_duplicate_at(*log, {.id = 8, .sequence = 1, .transactional = true}, 42));
  }
}

TEST_CASE("however often a log is compacted, a producer's last batch stays, and its age",
          "[storage][log][producers]") {
  Producing producing;
  producing.options.cleanup_compact = true;
  producing.reopen();
  auto& log = producing.log;
  const auto send = [&](std::int64_t id, std::int32_t sequence) {
    const auto time = producing.clock.now().milliseconds();
    try_append(*log, ProducerBatch{.id = id, .sequence = sequence, .time = time}).value();
  };
  for (std::int32_t i = 0; i < 3; ++i) send(7, i);
  for (std::int32_t i = 0; i < 3; ++i) {  // of the same key
    send(8, i);
    log->roll().value();
    log->flush().value();
    log->compact(true).value();
  }
  CHECK(batches(*log) == std::vector<std::int64_t>{2, 5});
  log.reset();
  for (const std::int64_t offset : snapshots(producing.place.directory)) {
    producing.place.directory->remove(snapshot_name(offset)).value();
  }
  producing.reopen();
  CHECK(log->expire_producers() == 0);
  CHECK(is_duplicate_at(*log, {.sequence = 2}, 2));
  CHECK(refusal(*log, {.sequence = 4}) == Errc::out_of_order_sequence);

  producing.clock.advance(std::chrono::hours(25));
  CHECK(log->expire_producers() == 2);
  send(9, 0);
  log->roll().value();
  log->flush().value();
  log->compact(true).value();
  CHECK(batches(*log) == std::vector<std::int64_t>{6});
}

TEST_CASE("segments that become one keep their transaction indexes", "[storage][log][producers]") {
  Producing producing;
  producing.options.cleanup_compact = true;
  producing.reopen();
  auto& log = producing.log;
  for (std::int32_t i = 0; i < 3; ++i) {
    try_append(*log, ProducerBatch{.sequence = i, .transactional = true}).value();
    try_append(*log, Marker{.commit = false}).value();
    log->roll().value();
  }
  log->flush().value();
  const OffsetRange all{Offset{0}, Offset{6}};
  const auto before = storage::find_aborted(*log, all).value();
  REQUIRE(before.size() == 3);
  log->compact(true).value();
  REQUIRE(log->segments().value()->segments.size() == 2);
  CHECK(storage::find_aborted(*log, all).value() == before);
  CHECK(files(producing.place.directory, storage::transaction_index_suffix) == Offsets{0});
}

TEST_CASE("a marker stays as long as its transaction has batches, then until its horizon",
          "[storage][log][producers]") {
  Producing producing;
  producing.options.cleanup_compact = true;
  producing.options.delete_retention = std::chrono::hours(1);
  producing.reopen();
  auto& log = producing.log;
  const bool commit = GENERATE(true, false);
  const auto transaction = [&](std::int64_t id, std::int32_t sequence) {
    const auto time = producing.clock.now().milliseconds();
    const ProducerBatch batch{.id = id, .sequence = sequence, .transactional = true, .time = time};
    try_append(*log, batch).value();
    try_append(*log, Marker{.id = id, .commit = commit, .time = time}).value();
  };
  const auto compact = [&] {
    log->roll().value();
    log->flush().value();
    log->compact(true).value();
    return batches(*log);
  };
  const auto index = [&] {
    std::vector<std::int64_t> markers;
    const OffsetRange all{Offset{0}, log->log_end_offset()};
    for (const auto& one : storage::find_aborted(*log, all).value()) {
      markers.push_back(one.last_offset.value());
    }
    return markers;
  };
  using Found = std::vector<std::int64_t>;
  transaction(7, 0);                            // 0 and 1
  transaction(7, 1);                            // 2 and 3
  transaction(8, 0);                            // 4 and 5, of the same key
  CHECK(compact() == Found{1, 2, 3, 4, 5});     // a record was in front of 1
  transaction(8, 1);                            // 6 and 7
  CHECK(compact() == Found{1, 2, 3, 5, 6, 7});  // 1 gets its horizon
  CHECK(index() == (commit ? Found{} : Found{1, 3, 5, 7}));
  producing.clock.advance(std::chrono::minutes(59));
  transaction(8, 2);                               // 8 and 9
  CHECK(compact() == Found{1, 2, 3, 5, 7, 8, 9});  // 5 gets its own
  producing.clock.advance(std::chrono::minutes(2));
  transaction(8, 3);  // 10 and 11
  CHECK(compact() == Found{2, 3, 5, 7, 9, 10, 11});
  CHECK(index() == (commit ? Found{} : Found{3, 5, 7, 9, 11}));
  CHECK(log->last_stable_offset() == Offset{12});
  producing.reopen();
  CHECK(log->last_stable_offset() == Offset{12});
  CHECK(is_duplicate_at(*log, {.sequence = 1, .transactional = true}, 2));
}

TEST_CASE("a time is found behind a batch that compaction emptied", "[storage][log][producers]") {
  Producing producing;
  producing.options.cleanup_compact = true;
  producing.options.segment_bytes = 2000;
  producing.reopen();
  auto& log = producing.log;
  const Timestamp later{1'700'000'000'000};
  for (const std::int64_t id : {7, 8}) {  // of the same keys, too large for one segment
    const ProducerBatch batch{.id = id, .count = 80, .time = later.milliseconds()};
    try_append(*log, batch).value();
    log->roll().value();
  }
  log->flush().value();
  log->compact(true).value();
  REQUIRE(log->segments().value()->segments.size() == 3);
  const auto found = storage::find_time(*log, later, log->log_end_offset()).value();
  REQUIRE(found);
  CHECK(found->offset == Offset{80});
}
