#include <millrace/storage/cleaner.hpp>
#include <millrace/storage/file_names.hpp>

#include "catch.hpp"
#include "fixture.hpp"

using namespace millrace;
using namespace millrace::test;
using storage::AbortedTransactions;
using storage::CleanRules;
using storage::KeyOffsets;

namespace {

constexpr Timestamp now{1'600'000'000'000};

std::optional<std::string> text(const char* some) {
  if (some == nullptr) return std::nullopt;
  return std::string(some);
}

/// Records of these keys and values at consecutive offsets; null for null.
std::vector<PlainRecord> pairs(std::vector<std::pair<const char*, const char*>> all) {
  std::vector<PlainRecord> records;
  for (const auto& [key, value] : all) {
    records.push_back({0, now.milliseconds(), text(key), text(value)});
  }
  return records;
}

/// A log whose batches each have a segment of their own.
struct Segments {
  Place place{true};
  std::unique_ptr<storage::Log> log = open_log(place.directory, {});
  std::vector<storage::SegmentPtr> all;

  explicit Segments(const std::vector<std::vector<PlainRecord>>& batches,
                    const record::BatchOptions& options = {}) {
    for (const auto& batch : batches) {
      append(*log, batch, options);
      log->roll().value();
    }
    log->flush().value();
    all = log->segments().value()->segments;
    all.pop_back();
  }
};

/// What a rewriting leaves: "offset:key=value " each.
std::string cleaned(const Segments& segments, const CleanRules& rules) {
  storage::TransactionData transactions;
  const auto stats = storage::rewrite_segments(segments.all, rules, transactions).value();
  if (!stats.changed) return "unchanged";
  const std::string name =
      storage::file_name(segments.all.front()->base_offset(), storage::log_suffix) + ".cleaned";
  const std::string content = segments.place.directory->read_file(name).value();
  CHECK(content.size() == stats.bytes_after);
  std::vector<PlainRecord> records;
  decode(as_bytes(content), Offset{0}, records);
  CHECK(records.size() == stats.records_kept);
  std::string all;
  for (const auto& r : records) {
    all += std::to_string(r.offset) + ":" + r.key.value_or("<null>") + "=" +
           r.value.value_or("<null>") + " ";
  }
  return all;
}

KeyOffsets keys_of(const Segments& segments, const AbortedTransactions& aborted) {
  KeyOffsets keys;
  for (const auto& segment : segments.all) {
    storage::collect_keys(*segment, aborted, keys).value();
  }
  return keys;
}

}  // namespace

TEST_CASE("a map of keys has the last offset of each", "[storage][cleaner]") {
  KeyOffsets keys;
  CHECK_FALSE(keys.find("a"));
  CHECK(keys.memory_bytes() == 0);
  keys.set("a", Offset{1});
  keys.set("", Offset{2});
  const auto bytes = keys.memory_bytes();
  keys.set("a", Offset{3});
  CHECK(keys.memory_bytes() == bytes);
  CHECK(keys.find("a") == Offset{3});
  CHECK(keys.find("") == Offset{2});
  keys.set(std::string(1000, 'x'), Offset{4});
  CHECK(keys.memory_bytes() >= bytes + 1000);
}

TEST_CASE("of each key the last record stays, those without a key go", "[storage][cleaner]") {
  const Segments segments({pairs({{"a", "1"}, {"b", "1"}, {nullptr, "1"}}),
                           pairs({{"a", "2"}, {"", "1"}, {"c", "1"}}), pairs({{"b", "2"}})});
  const AbortedTransactions aborted;
  const KeyOffsets keys = keys_of(segments, aborted);
  CHECK(cleaned(segments, {&keys, &aborted, now}) == "3:a=2 4:=1 5:c=1 6:b=2 ");
}

TEST_CASE("a segment that keeps all it has is not written", "[storage][cleaner]") {
  const Segments segments({pairs({{"a", "1"}, {"b", "1"}})});
  const AbortedTransactions aborted;
  const KeyOffsets keys = keys_of(segments, aborted);
  CHECK(cleaned(segments, {&keys, &aborted, now}) == "unchanged");
  CHECK_FALSE(segments.place.directory->exists("00000000000000000000.log.cleaned").value());
}

TEST_CASE("the last batch stays, if need be without records", "[storage][cleaner]") {
  const Segments segments({pairs({{"a", "1"}}), pairs({{"a", "2"}, {"b", "1"}})});
  const AbortedTransactions aborted;
  KeyOffsets keys;
  keys.set("a", Offset{9});
  keys.set("b", Offset{9});
  CHECK(cleaned(segments, {&keys, &aborted, now}) == "");
  const std::string content =
      segments.place.directory->read_file("00000000000000000000.log.cleaned").value();
  const auto batch = record::BatchView::parse(as_bytes(content)).value();
  CHECK(batch.base_offset() == Offset{1});
  CHECK(batch.next_offset() == Offset{3});
  CHECK(batch.record_count() == 0);
  CHECK(batch.crc_matches());
  CHECK(batch.size() == content.size());
}

TEST_CASE("a deletion is told from its first pass on for its time, then it goes",
          "[storage][cleaner]") {
  const std::chrono::milliseconds kept(1000);
  const auto codec = GENERATE(record::Codec::none, record::Codec::gzip);
  Segments segments({pairs({{"a", "1"}}), pairs({{"a", nullptr}, {"b", "1"}})}, {.codec = codec});
  const AbortedTransactions aborted;
  const KeyOffsets keys = keys_of(segments, aborted);
  CHECK(cleaned(segments, {&keys, &aborted, now, kept}) == "1:a=<null> 2:b=1 ");
  storage::swap_in(segments.place.directory, segments.all, Offset{3}).value();
  segments.all = {std::make_shared<storage::Segment>(segments.place.directory, Offset{0},
                                                     storage::SegmentMode::sealed,
                                                     storage::Segment::Limits{1 << 20, 1 << 10})};
  segments.all.front()->open().value();
  CHECK(segments.all.front()->batch_at(0).delete_horizon() == now + kept);
  const auto at = [&](std::chrono::milliseconds after) {
    return cleaned(segments, {&keys, &aborted, now + after, kept});
  };
  CHECK(at(kept - std::chrono::milliseconds(1)) == "unchanged");
  CHECK(at(kept) == "2:b=1 ");
}

TEST_CASE("records of aborted transactions go, and supersede nothing", "[storage][cleaner]") {
  const auto batch = [](std::int64_t offset, bool control, std::int64_t producer, const char* key) {
    record::BatchBuilder builder(
        {.transactional = true, .control = control, .producer = {producer, 0, -1}});
    const std::string marker("\0\0\0\0", 4);
    const std::string commit("\0\0\0\1", 4);
    const Bytes name = control ? as_bytes(key == nullptr ? marker : commit) : as_bytes(key);
    builder.add(now, name, as_bytes("v")).value();
    const auto bytes = builder.finish().value();
    record::stamp_batch(bytes, Offset{offset}, LeaderEpoch{0});
    return std::vector<std::byte>(bytes.begin(), bytes.end());
  };
  const std::vector<std::vector<std::byte>> stored = {
      batch(0, false, 1, "a"), batch(1, false, 2, "a"), batch(2, true, 1, nullptr),
      batch(3, true, 2, "ok"), batch(4, false, 1, "b"), batch(5, true, 1, "ok")};
  AbortedTransactions aborted;
  for (const auto& bytes : stored) aborted.add(record::BatchView::parse(bytes).value());
  const auto is_aborted = [&](std::size_t i) {
    return aborted.contains(record::BatchView::parse(stored[i]).value());
  };
  CHECK(is_aborted(0));
  CHECK_FALSE(is_aborted(1));
  CHECK_FALSE(is_aborted(2));  // a marker is not part of it
  CHECK_FALSE(is_aborted(4));  // the producer's next one
}

TEST_CASE("groups are as large as a segment may be, and no larger", "[storage][cleaner]") {
  const Segments segments({numbered(0, 1, 300), numbered(1, 1, 300), numbered(2, 1, 300)});
  const std::uint64_t size = segments.all.front()->file_bytes().value();
  storage::LogOptions options;
  const auto sizes = [&] {
    std::vector<std::size_t> all;
    for (const auto& group : storage::group_segments(segments.all, options)) {
      all.push_back(group.size());
    }
    return all;
  };
  options.segment_bytes = 2 * size;
  CHECK(sizes() == std::vector<std::size_t>{2, 1});
  options.segment_bytes = 2 * size - 1;
  CHECK(sizes() == std::vector<std::size_t>{1, 1, 1});
  options.segment_bytes = size - 1;  // one that is too large goes alone
  CHECK(sizes() == std::vector<std::size_t>{1, 1, 1});
  CHECK(storage::group_segments({}, options).empty());
}

TEST_CASE("a damaged batch ends a pass, which leaves nothing behind", "[storage][cleaner]") {
  Segments segments({pairs({{"a", "1"}}), pairs({{"a", "2"}})});
  const std::string name = "00000000000000000001.log";
  auto content = segments.place.directory->read_file(name).value();
  content.back() = static_cast<char>(content.back() ^ 1);
  segments.place.directory->open(name, os::OpenMode::read_write)
      .value()
      .write_at(as_bytes(content), 0)
      .value();
  const AbortedTransactions aborted;
  KeyOffsets keys;
  keys.set("a", Offset{1});
  storage::TransactionData transactions;
  const auto done = storage::rewrite_segments(segments.all, {&keys, &aborted, now}, transactions);
  REQUIRE_FALSE(done);
  CHECK(done.error().code() == Errc::corrupt_data);
  CHECK_THAT(done.error().message(),
             Catch::Matchers::Contains(name) && Catch::Matchers::Contains("millrace log repair"));
  for (const auto& entry : segments.place.directory->list().value()) {
    CHECK_FALSE(entry.name.ends_with(".cleaned"));
  }
  CHECK_FALSE(storage::collect_keys(*segments.all.back(), aborted, keys));
}
