#include <algorithm>
#include <millrace/storage/file_names.hpp>
#include <millrace/storage/offset_index.hpp>
#include <millrace/storage/time_index.hpp>
#include <random>
#include <vector>

#include "campaign.hpp"
#include "catch.hpp"

using namespace millrace;
using namespace millrace::storage;

namespace {

constexpr Offset base{1000};
constexpr std::uint64_t limit_bytes = 4096;

/// Entries for every tenth offset, a hundred bytes apart.
void fill(OffsetIndex& index, std::size_t count) {
  index.file().reserve(count).value();
  for (std::size_t i = 0; i < count; ++i) {
    index.append({base + static_cast<std::int64_t>(10 * i + 9), FilePosition{100 * i}});
  }
}

}  // namespace

TEST_CASE("an offset index finds the entry at or below an offset", "[storage][index]") {
  const auto directory = os::make_memory_directory();
  OffsetIndex index;
  index.open(directory, base, IndexMode::active, limit_bytes).value();
  CHECK_FALSE(index.at_or_below(base + 5));
  fill(index, 5);
  CHECK_FALSE(index.at_or_below(base));
  CHECK_FALSE(index.at_or_below(base + 8));
  CHECK(index.at_or_below(base + 9)->position == FilePosition{0});
  CHECK(index.at_or_below(base + 18)->position == FilePosition{0});
  CHECK(index.at_or_below(base + 19)->position == FilePosition{100});
  CHECK(index.at_or_below(base + 1'000'000)->position == FilePosition{400});
  CHECK(index.entries_below(base + 29) == 2);
  CHECK(index.entries_below(base + 30) == 3);
}

TEST_CASE("an index of uneven steps finds what a walk over its entries finds", "[storage][index]") {
  const std::uint64_t seed = millrace_test::campaign_seed(7);
  INFO("MILLRACE_SEED=" << seed);
  std::mt19937_64 rng(seed);
  for (int round = 0; round < 50; ++round) {
    const auto directory = os::make_memory_directory();
    const std::size_t count = 1 + rng() % 300;
    OffsetIndex index;
    index.open(directory, base, IndexMode::active, limit_bytes).value();
    index.file().reserve(count).value();
    std::vector<Offset> offsets;
    Offset offset = base;
    for (std::size_t i = 0; i < count; ++i) {
      offset =
          offset + static_cast<std::int64_t>(rng() % 20 == 0 ? rng() % 10'000 : rng() % 50) + 1;
      index.append({offset, FilePosition{100 * i}});
      offsets.push_back(offset);
    }
    for (int i = 0; i < 200; ++i) {
      const Offset wanted =
          base + static_cast<std::int64_t>(rng() % static_cast<std::uint64_t>(offset - base + 20));
      const auto below =
          std::count_if(offsets.begin(), offsets.end(), [&](Offset one) { return one < wanted; });
      REQUIRE(index.entries_below(wanted) == static_cast<std::size_t>(below));
    }
  }
}

TEST_CASE("an index is found again, sealed or not", "[storage][index]") {
  const auto directory = os::make_memory_directory();
  const bool sealed = GENERATE(true, false);
  {
    OffsetIndex index;
    index.open(directory, base, IndexMode::active, limit_bytes).value();
    fill(index, 7);
    if (sealed) index.file().seal(true).value();
  }
  OffsetIndex again;
  again.open(directory, base, sealed ? IndexMode::sealed : IndexMode::active, limit_bytes).value();
  CHECK(again.file().count() == 7);
  CHECK(again.check(FilePosition{601}).has_value());
  CHECK_FALSE(again.check(FilePosition{600}));
  CHECK(again.entry(6).offset == base + 69);
}

TEST_CASE("entries that were taken back are gone for good", "[storage][index]") {
  const auto directory = os::make_memory_directory();
  {
    OffsetIndex index;
    index.open(directory, base, IndexMode::active, limit_bytes).value();
    fill(index, 7);
    index.file().truncate(3).value();
    CHECK(index.file().count() == 3);
  }
  OffsetIndex again;
  again.open(directory, base, IndexMode::active, limit_bytes).value();
  CHECK(again.file().count() == 3);
}

TEST_CASE("an index with half an entry is damaged", "[storage][index]") {
  const auto directory = os::make_memory_directory();
  auto file = directory->open(file_name(base, offset_index_suffix), os::OpenMode::create).value();
  file.write_at(as_bytes("half an entry"), 0).value();
  OffsetIndex index;
  const auto opened = index.open(directory, base, IndexMode::sealed, 0);
  REQUIRE_FALSE(opened);
  CHECK(opened.error().code() == Errc::corrupt_data);
}

TEST_CASE("an index does not grow beyond its limit", "[storage][index]") {
  const auto directory = os::make_memory_directory();
  OffsetIndex index;
  index.open(directory, base, IndexMode::active, 100).value();
  CHECK(index.file().limit() == 12);
  index.file().reserve(1000).value();
  CHECK(index.file().capacity() == 12);
}

TEST_CASE("a time index takes rising times only", "[storage][index]") {
  const auto directory = os::make_memory_directory();
  TimeIndex index;
  index.open(directory, base, IndexMode::active, limit_bytes).value();
  CHECK_FALSE(index.last());
  index.file().reserve(10).value();
  index.append({Timestamp{100}, base + 1});
  index.append({Timestamp{100}, base + 2});
  index.append({Timestamp{90}, base + 3});
  index.append({Timestamp{200}, base + 4});
  CHECK(index.file().count() == 2);
  CHECK(index.last()->offset == base + 4);
  CHECK(index.check().has_value());
  CHECK(index.entries_below(Timestamp{100}) == 0);
  CHECK(index.entries_below(Timestamp{101}) == 1);
  CHECK(index.entries_below(Timestamp{201}) == 2);
}
