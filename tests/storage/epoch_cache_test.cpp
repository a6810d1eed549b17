#include <millrace/storage/epoch_cache.hpp>

#include "catch.hpp"

using namespace millrace;
using storage::EpochCache;
using Entries = std::vector<EpochCache::Entry>;

namespace {

EpochCache cache_of(const Entries& entries) {
  EpochCache cache;
  for (const auto& entry : entries) cache.assign(entry.epoch, entry.start);
  return cache;
}

const Entries three = {
    {LeaderEpoch{0}, Offset{0}}, {LeaderEpoch{2}, Offset{10}}, {LeaderEpoch{5}, Offset{30}}};

}  // namespace

TEST_CASE("an epoch begins with its first batch", "[storage][epochs]") {
  EpochCache cache;
  CHECK_FALSE(cache.latest());
  CHECK(cache.assign(LeaderEpoch{1}, Offset{0}));
  CHECK_FALSE(cache.assign(LeaderEpoch{1}, Offset{5}));
  CHECK_FALSE(cache.assign(LeaderEpoch{0}, Offset{6}));
  CHECK_FALSE(cache.assign(LeaderEpoch::unknown, Offset{6}));
  CHECK(cache.latest() == LeaderEpoch{1});
  CHECK(cache.entries() == Entries{{LeaderEpoch{1}, Offset{0}}});
}

TEST_CASE("an epoch that begins where another did replaces it", "[storage][epochs]") {
  EpochCache cache = cache_of(three);
  CHECK(cache.assign(LeaderEpoch{6}, Offset{10}));
  CHECK(cache.entries() == Entries{three[0], {LeaderEpoch{6}, Offset{10}}});
}

TEST_CASE("an epoch ends where the next begins", "[storage][epochs]") {
  const EpochCache cache = cache_of(three);
  const auto end_of = [&](std::int32_t epoch) {
    return cache.end_offset_for(LeaderEpoch{epoch}, Offset{50});
  };
  CHECK(end_of(0) == EpochCache::EndOffset{LeaderEpoch{0}, Offset{10}});
  CHECK(end_of(1) == EpochCache::EndOffset{LeaderEpoch{0}, Offset{10}});
  CHECK(end_of(2) == EpochCache::EndOffset{LeaderEpoch{2}, Offset{30}});
  CHECK(end_of(4) == EpochCache::EndOffset{LeaderEpoch{2}, Offset{30}});
  CHECK(end_of(5) == EpochCache::EndOffset{LeaderEpoch{5}, Offset{50}});
  CHECK_FALSE(end_of(6));
  CHECK_FALSE(EpochCache().end_offset_for(LeaderEpoch{0}, Offset{50}));
}

TEST_CASE("truncation forgets epochs, a start inside one moves it", "[storage][epochs]") {
  EpochCache cache = cache_of(three);
  cache.truncate_from_end(Offset{30});
  CHECK(cache.entries() == Entries{three[0], three[1]});
  cache.truncate_from_start(Offset{12});
  CHECK(cache.entries() == Entries{{LeaderEpoch{2}, Offset{12}}});
}

TEST_CASE("a checkpoint survives; a damaged one is an empty cache", "[storage][epochs]") {
  const auto directory = os::make_memory_directory();
  EpochCache loaded;
  loaded.load(directory).value();
  CHECK(loaded.was_lost());
  cache_of(three).save(directory).value();
  CHECK(directory->read_file(EpochCache::file_name).value() == "0\n3\n0 0\n2 10\n5 30\n");
  loaded.load(directory).value();
  CHECK_FALSE(loaded.was_lost());
  CHECK(loaded.entries() == three);
  for (const char* text : {"", "0\n1\n", "0\n2\n0 0\n0 5\n", "0\n2\n1 5\n2 4\n", "0\n1\n-1 0\n",
                           "0\n1\n1 x\n", "1\n1\n0 0\n"}) {
    INFO(text);
    directory->replace_file(EpochCache::file_name, text).value();
    loaded.load(directory).value();
    CHECK(loaded.was_damaged());
    CHECK(loaded.entries().empty());
  }
}
