#include <millrace/storage/active_segment.hpp>
#include <millrace/testing/faulty_io.hpp>

#include "catch.hpp"
#include "fixture.hpp"

using namespace millrace;
using namespace millrace::test;
using storage::ActiveSegment;
using storage::LogOptions;
using storage::WritePath;

namespace {

constexpr Offset base{1000};

LogOptions small(WritePath path = WritePath::mapped) {
  LogOptions options;
  options.segment_bytes = 200'000;
  options.segment_index_bytes = 4096;
  options.write_path = path;
  return options;
}

/// Stores and counts in one batch, as the log does.
void put(ActiveSegment& active, Offset offset, const std::vector<PlainRecord>& records) {
  auto bytes = batch_of(records);
  record::stamp_batch(bytes, offset, LeaderEpoch{0});
  active.make_room(bytes.size()).value();
  active.store(bytes, false).value();
  active.commit(record::BatchView::parse(Bytes(active.tail(), bytes.size())).value());
}

std::uint64_t file_size(const Place& place, const char* name) {
  return place.directory->open(name, os::OpenMode::read_only).value().size().value();
}

}  // namespace

TEST_CASE("an empty segment takes any batch whose offsets it can express", "[storage][active]") {
  const Place place(true);
  const auto active = ActiveSegment::create(place.directory, base, small()).value();
  const Offset last = base + std::numeric_limits<std::int32_t>::max();
  CHECK_FALSE(active->must_roll(1u << 30, base, Timestamp{1}));
  CHECK_FALSE(active->must_roll(1, last, Timestamp{1}));
  CHECK(active->must_roll(1, last + 1, Timestamp{1}));
}

TEST_CASE("a segment is full at its last byte, and old after its last millisecond",
          "[storage][active]") {
  const Place place(true);
  auto options = small();
  options.segment_ms = std::chrono::milliseconds(1000);
  const auto active = ActiveSegment::create(place.directory, base, options).value();
  const std::int64_t time = 1'600'000'000'000;
  put(*active, base, numbered(0, 1, 100, time));
  const std::uint64_t left = options.segment_bytes - active->end();
  CHECK_FALSE(active->must_roll(left, base + 1, Timestamp{time}));
  CHECK(active->must_roll(left + 1, base + 1, Timestamp{time}));
  CHECK_FALSE(active->must_roll(1, base + 1, Timestamp{time + 1000}));
  CHECK(active->must_roll(1, base + 1, Timestamp{time + 1001}));
  options.segment_bytes = active->end() + 10;
  active->set_options(options);
  CHECK_FALSE(active->must_roll(10, base + 1, Timestamp{time}));
  CHECK(active->must_roll(11, base + 1, Timestamp{time}));
}

TEST_CASE("a segment is full when its index is", "[storage][active]") {
  const Place place(true);
  auto options = small();
  options.index_interval_bytes = 0;
  options.segment_index_bytes = 5 * 8;
  const auto active = ActiveSegment::create(place.directory, base, options).value();
  int batches = 0;
  for (; !active->must_roll(100, base + batches, Timestamp{1}); ++batches) {
    REQUIRE(batches < 10);
    put(*active, base + batches, numbered(batches, 1));
  }
  // The first batch of a segment needs no entry.
  CHECK(batches <= 6);
  CHECK(active->segment()->offset_index().file().count() <= 5);
}

TEST_CASE("blocks are there before they are stored to, and spare ones go at the end",
          "[storage][active]") {
  const auto path = GENERATE(WritePath::mapped, WritePath::write);
  const Place place(GENERATE(true, false));
  const char* const log = "00000000000000001000.log";
  const auto active = ActiveSegment::create(place.directory, base, small(path)).value();
  CHECK(active->wants_room());
  active->prepare().value();
  CHECK_FALSE(active->wants_room());
  CHECK(file_size(place, log) >= storage::min_reserve_step);
  put(*active, base, numbered(0, 3));
  active->sync(0, active->end()).value();
  active->seal();
  active->sync_sealed().value();
  CHECK(file_size(place, log) == active->end());
  CHECK_FALSE(active->wants_room());
  CHECK(file_size(place, "00000000000000001000.timeindex") == storage::TimeIndex::entry_bytes);
}

TEST_CASE("a segment is no larger than it may be, however much is prepared", "[storage][active]") {
  const Place place(true);
  auto options = small();
  options.preallocate = GENERATE(true, false);
  const auto active = ActiveSegment::create(place.directory, base, options).value();
  for (int i = 0; i < 20; ++i) active->prepare().value();
  const auto size = file_size(place, "00000000000000001000.log");
  CHECK(size <= options.segment_bytes);
  if (options.preallocate) CHECK(size == options.segment_bytes);
}

TEST_CASE("without room a segment is as it was, and takes more when there is some",
          "[storage][active]") {
  testing::FaultyIo io;
  const Place place(false, &io);
  const auto active = ActiveSegment::create(place.directory, base, small()).value();
  put(*active, base, numbered(0, 3));
  const std::uint64_t end = active->end();
  io.fail({.os_code = ENOSPC, .ops = {os::IoOp::reserve}, .for_ever = true});
  const auto refused = active->make_room(100'000);
  REQUIRE_FALSE(refused);
  CHECK(refused.error().code() == Errc::no_space);
  CHECK(active->end() == end);
  io.heal();
  put(*active, base + 3, numbered(3, 3, 20'000));
  std::vector<PlainRecord> found;
  decode(Bytes(active->segment()->data(), active->end()), base, found);
  CHECK(found.size() == 6);
}

TEST_CASE("after a flush and a cut, pages are backed again before anything is stored to them",
          "[storage][active]") {
  testing::FaultyIo io;
  const Place place(false, &io);
  const auto active = ActiveSegment::create(place.directory, base, small()).value();
  put(*active, base, numbered(0, 1));
  const std::uint64_t end = active->end();
  put(*active, base + 1, numbered(1, 3, 20'000));
  active->sync(0, active->end()).value();
  active->truncate(end, base + 1, {Timestamp{1'600'000'000'000}, base}).value();
  io.fail({.os_code = ENOSPC, .ops = {os::IoOp::populate}, .for_ever = true});
  CHECK(active->make_room(50'000).error().code() == Errc::no_space);
  io.heal();
  put(*active, base + 1, numbered(1, 3, 20'000));
  std::vector<PlainRecord> found;
  decode(Bytes(active->segment()->data(), active->end()), base, found);
  CHECK(found.size() == 4);
}

TEST_CASE("a cut zeroes what was behind it and goes on from there", "[storage][active]") {
  const auto path = GENERATE(WritePath::mapped, WritePath::write);
  const Place place(true);
  auto options = small(path);
  options.index_interval_bytes = 0;
  const auto active = ActiveSegment::create(place.directory, base, options).value();
  std::vector<std::uint64_t> ends{0};
  for (int i = 0; i < 4; ++i) {
    put(*active, base + i, numbered(i, 1));
    ends.push_back(active->end());
  }
  active->truncate(ends[2], base + 2, {Timestamp{1'600'000'000'001}, base + 1}).value();
  CHECK(active->end() == ends[2]);
  for (std::size_t i = 0; i < active->segment()->offset_index().file().count(); ++i) {
    CHECK(active->segment()->offset_index().entry(i).offset < base + 2);
  }
  const std::byte* const bytes = active->segment()->data();
  CHECK(
      std::all_of(bytes + ends[2], bytes + ends[4], [](std::byte b) { return b == std::byte{0}; }));
  put(*active, base + 2, numbered(7, 1));
  std::vector<PlainRecord> found;
  decode(Bytes(bytes, active->end()), base, found);
  REQUIRE(found.size() == 3);
  CHECK(found[2].offset == 1002);
  CHECK(found[2].value == numbered(7, 1)[0].value);
}
