#include <millrace/storage/segment.hpp>

#include "catch.hpp"
#include "fixture.hpp"

using namespace millrace;
using namespace millrace::test;
using storage::Segment;
using storage::SegmentList;
using storage::SegmentMode;

namespace {

constexpr Segment::Limits limits{1 << 20, 1 << 16};

/// A sealed segment of batches of three records each, at 0, 3, 6 and so on, a millisecond a record.
struct Sealed {
  Place place{GENERATE(true, false)};
  std::vector<std::uint64_t> positions;
  std::uint64_t bytes = 0;

  explicit Sealed(int batches, std::uint32_t interval = 0) {
    storage::LogOptions options;
    options.index_interval_bytes = interval;
    const auto log = open_log(place.directory, options);
    for (std::int64_t i = 0; i < batches; ++i) {
      positions.push_back(bytes);
      append(*log, numbered(i * 3, 3));
      bytes = log->control().active_end.load();
    }
    log->roll().value();
    log->close().value();
  }
  std::shared_ptr<Segment> segment() const {
    return std::make_shared<Segment>(place.directory, Offset{0}, SegmentMode::sealed, limits);
  }
  std::shared_ptr<Segment> attached() const {
    const auto control = std::make_shared<storage::ControlFile>(
        storage::ControlFile::attach(place.directory).value());
    return std::make_shared<Segment>(
        place.directory, Offset{0},
        std::shared_ptr<const storage::ControlBlock>(control, &control->block()), limits);
  }
};

}  // namespace

TEST_CASE("a batch is found by every offset it has", "[storage][segment]") {
  const Sealed sealed(20, GENERATE(0u, 500u, 1u << 20));
  const auto segment = GENERATE(true, false) ? sealed.segment() : sealed.attached();
  for (std::int64_t offset = 0; offset < 60; ++offset) {
    const auto found = segment->find(Offset{offset}).value();
    REQUIRE(found.value() == sealed.positions[static_cast<std::size_t>(offset / 3)]);
  }
  CHECK(segment->find(Offset{60}).value().value() == sealed.bytes);
  CHECK(segment->find(Offset{-1}).value().value() == 0);
  CHECK(segment->end() == sealed.bytes);
  CHECK(segment->batch_at(sealed.bytes).size() == 0);
  CHECK(segment->batch_at(1).size() == 0);
}

TEST_CASE("the largest time is known, and what is older than another", "[storage][segment]") {
  const Sealed sealed(20, GENERATE(0u, 1u << 20));
  const auto segment = sealed.segment();
  const std::int64_t start = 1'600'000'000'000;
  const auto largest = segment->largest(Offset{60}).value();
  CHECK(largest.timestamp == Timestamp{start + 59});
  CHECK(largest.offset == Offset{59});
  CHECK(segment->known_older(Timestamp{start}) == Offset{-1});
  for (std::int64_t time = 0; time <= 60; ++time) {
    // Whatever it knows, it must be true.
    CHECK(segment->known_older(Timestamp{start + time}) < Offset{time});
  }
}

TEST_CASE("lost and damaged indexes are made again", "[storage][segment]") {
  const Sealed sealed(20);
  const std::string name = GENERATE("00000000000000000000.index", "00000000000000000000.timeindex");
  const std::string before = sealed.place.directory->read_file(name).value();
  SECTION("lost") {
    sealed.place.directory->remove(name).value();
  }
  SECTION("half an entry") {
    sealed.place.directory->replace_file(name, before.substr(0, before.size() - 1)).value();
  }
  SECTION("out of order") {
    std::string turned = before;
    std::rotate(turned.begin(), turned.begin() + 24, turned.end());
    sealed.place.directory->replace_file(name, turned).value();
  }
  const auto segment = sealed.segment();
  CHECK(segment->find(Offset{40}).value().value() == sealed.positions[13]);
  CHECK(segment->largest(Offset{60}).value().offset == Offset{59});
  const std::string after = sealed.place.directory->read_file(name).value();
  CHECK_FALSE(after.empty());
  const auto again = sealed.segment();
  again->open().value();
  CHECK(again->offset_index().check(FilePosition{sealed.bytes}));
  CHECK(again->time_index().check());
}

TEST_CASE("index entries that lie lead nowhere else", "[storage][segment]") {
  const Sealed sealed(20);
  std::string content;
  // In order, and within the log, but no batch starts there or it has other offsets.
  for (std::int32_t i = 1; i < 10; ++i) {
    std::byte entry[8];
    store_big(entry, i * 6);
    store_big(entry + 4,
              static_cast<std::uint32_t>(sealed.positions[1]) + static_cast<std::uint32_t>(i) * 50);
    content += as_text(Bytes(entry, 8));
  }
  sealed.place.directory->replace_file("00000000000000000000.index", content).value();
  const auto segment = sealed.segment();
  for (std::int64_t offset = 0; offset < 60; ++offset) {
    REQUIRE(segment->find(Offset{offset}).value().value() ==
            sealed.positions[static_cast<std::size_t>(offset / 3)]);
  }
}

TEST_CASE("a list knows which segment has an offset", "[storage][segment]") {
  SegmentList list;
  CHECK(list.index_of(Offset{5}) == 0);
  const auto directory = os::make_memory_directory();
  for (const std::int64_t base : {10, 20, 30}) {
    list.segments.push_back(
        std::make_shared<Segment>(directory, Offset{base}, SegmentMode::sealed, limits));
  }
  for (const auto& [offset, index] : std::map<std::int64_t, std::size_t>{
           {0, 0}, {9, 0}, {10, 0}, {19, 0}, {20, 1}, {29, 1}, {30, 2}, {1000, 2}}) {
    CHECK(list.index_of(Offset{offset}) == index);
  }
}

TEST_CASE("a segment whose log is gone or cut says so", "[storage][segment]") {
  const Sealed sealed(4);
  const char* const name = "00000000000000000000.log";
  SECTION("gone") {
    sealed.place.directory->remove(name).value();
    const auto opened = sealed.segment()->open();
    REQUIRE_FALSE(opened);
    CHECK(opened.error().os_code() == ENOENT);
  }
  SECTION("cut below what the log ended with") {
    const auto resting = std::make_shared<Segment>(sealed.place.directory, Offset{0},
                                                   SegmentMode::resting, limits, sealed.bytes + 1);
    const auto opened = resting->open();
    REQUIRE_FALSE(opened);
    CHECK(opened.error().code() == Errc::corrupt_data);
    CHECK_THAT(opened.error().message(), Catch::Matchers::Contains("something else cut it"));
  }
}

TEST_CASE("an open segment outlives its files", "[storage][segment]") {
  const Sealed sealed(4);
  const auto segment = sealed.segment();
  segment->open().value();
  sealed.place.directory->remove("00000000000000000000.log").value();
  sealed.place.directory->remove("00000000000000000000.index").value();
  CHECK(segment->find(Offset{9}).value().value() == sealed.positions[3]);
  CHECK(segment->check_readable(0, sealed.bytes));
  CHECK(segment->batch_at(sealed.positions[3]).crc_matches());
}
