#include <millrace/record/batch_builder.hpp>
#include <millrace/record/batch_view.hpp>
#include <random>

#include "campaign.hpp"
#include "catch.hpp"
#include "support/bytes.hpp"

using namespace millrace;
using namespace millrace::record;
using millrace::test::to_hex;
using Step = RecordCursor::Step;

namespace {

using Buffer = std::vector<std::byte>;

struct OwnedHeader {
  std::string key;
  std::optional<Buffer> value;
  friend bool operator==(const OwnedHeader&, const OwnedHeader&) = default;
};

struct OwnedRecord {
  std::int64_t offset = 0;
  std::int64_t timestamp = 0;
  std::optional<Buffer> key;
  std::optional<Buffer> value;
  std::vector<OwnedHeader> headers;
  friend bool operator==(const OwnedRecord&, const OwnedRecord&) = default;
};

std::optional<Bytes> view(const std::optional<Buffer>& buffer) {
  return buffer ? std::optional<Bytes>(*buffer) : std::nullopt;
}

std::optional<Buffer> own(const std::optional<Bytes>& bytes) {
  return bytes ? std::optional<Buffer>(Buffer(bytes->begin(), bytes->end())) : std::nullopt;
}

OwnedRecord own(const RecordView& record) {
  OwnedRecord owned{record.offset.value(),
                    record.timestamp.milliseconds(),
                    own(record.key),
                    own(record.value),
                    {}};
  for (const HeaderView& header : record.headers)
    owned.headers.push_back({std::string(header.key), own(header.value)});
  return owned;
}

std::vector<HeaderView> header_views(const OwnedRecord& record) {
  std::vector<HeaderView> views;
  for (const OwnedHeader& header : record.headers)
    views.push_back({header.key, view(header.value)});
  return views;
}

/// All records of a batch; fails the test if it does not decode.
std::vector<OwnedRecord> read_all(Bytes bytes) {
  const auto batch = BatchView::parse(bytes);
  REQUIRE(batch);
  REQUIRE(batch->size() == bytes.size());
  REQUIRE(batch->crc_matches());
  Buffer scratch;
  auto cursor = RecordCursor::open(*batch, scratch);
  REQUIRE(cursor);
  std::vector<OwnedRecord> records;
  RecordView record;
  Step step = cursor->next(record);
  for (; step == Step::record; step = cursor->next(record)) records.push_back(own(record));
  REQUIRE(step == Step::end);
  return records;
}

class RandomRecords {
 public:
  explicit RandomRecords(std::uint64_t seed) : random_(seed) {}

  std::uint64_t below(std::uint64_t bound) { return random_() % bound; }

  Buffer bytes() {
    // Sizes around the steps of the varints, and now and then a large one.
    static constexpr std::size_t sizes[] = {0, 1, 7, 57, 58, 63, 64, 65, 100, 127, 128, 300, 8191};
    Buffer buffer(below(20) == 0 ? below(40000) : sizes[below(std::size(sizes))]);
    for (std::byte& b : buffer) b = static_cast<std::byte>(random_() % 7);
    return buffer;
  }

  std::optional<Buffer> maybe_bytes() {
    return below(4) == 0 ? std::nullopt : std::optional<Buffer>(bytes());
  }

  OwnedRecord record() {
    OwnedRecord record;
    static constexpr std::int64_t spreads[] = {1, 60, 10'000, 1'000'000'000'000};
    const std::int64_t spread = spreads[below(std::size(spreads))];
    record.timestamp =
        1'600'000'000'000 + static_cast<std::int64_t>(random_() % 2000) * spread / 1000 - spread;
    record.key = maybe_bytes();
    record.value = maybe_bytes();
    for (std::uint64_t i = below(3) == 0 ? below(4) : 0; i > 0; --i)
      record.headers.push_back({std::string(below(80), 'h'), maybe_bytes()});
    return record;
  }

 private:
  std::mt19937_64 random_;
};

constexpr Timestamp noon{1'600'000'000'000};

}  // namespace

TEST_CASE("records come back as they were added", "[batch_builder]") {
  const std::uint64_t seed = millrace_test::campaign_seed(40);
  INFO("MILLRACE_SEED=" << seed);
  RandomRecords source(seed);
  BatchBuilder builder;
  for (std::uint64_t round = 0; round < millrace_test::campaign_rounds(200, 20000); ++round) {
    INFO("round " << round);
    const bool compress = source.below(4) == 0;
    builder.reset({.codec = compress ? Codec::lz4 : Codec::none});
    std::vector<OwnedRecord> expected;
    std::size_t bound = layout::header_bytes;
    for (std::uint64_t i = 1 + source.below(200); i > 0; --i) {
      OwnedRecord record = source.record();
      record.offset = static_cast<std::int64_t>(expected.size());
      const auto headers = header_views(record);
      bound += BatchBuilder::record_bound(view(record.key), view(record.value), headers);
      REQUIRE(
          builder.add(Timestamp{record.timestamp}, view(record.key), view(record.value), headers));
      expected.push_back(std::move(record));
    }
    CHECK(builder.record_count() == static_cast<std::int32_t>(expected.size()));
    CHECK(builder.size_bytes() <= bound);
    const auto batch = builder.finish();
    if (!batch && batch.error().code() == Errc::unsupported) continue;
    REQUIRE(batch);
    REQUIRE(read_all(*batch) == expected);
    std::int64_t largest = expected.front().timestamp;
    for (const OwnedRecord& record : expected) largest = std::max(largest, record.timestamp);
    const auto view_of_it = BatchView::parse(*batch);
    CHECK(view_of_it->base_timestamp().milliseconds() == expected.front().timestamp);
    CHECK(view_of_it->max_timestamp().milliseconds() == largest);
    CHECK(view_of_it->last_offset().value() == expected.back().offset);
  }
}

TEST_CASE("a fresh batch has the options in its header", "[batch_builder]") {
  BatchBuilder builder({.transactional = true,
                        .control = true,
                        .producer = {.id = 77, .epoch = 3, .base_sequence = 1234}});
  REQUIRE(builder.add(noon, std::nullopt, as_bytes("v")));
  const auto bytes = builder.finish();
  REQUIRE(bytes);
  const auto batch = BatchView::parse(*bytes);
  REQUIRE(batch);
  CHECK(batch->is_transactional());
  CHECK(batch->is_control());
  CHECK(batch->producer() == ProducerIdentity{77, 3, 1234});
  CHECK(batch->base_offset() == Offset{0});
  CHECK(batch->leader_epoch() == LeaderEpoch::unknown);
  CHECK(batch->timestamp_type() == TimestampType::create_time);
  CHECK(!batch->delete_horizon());
}

TEST_CASE("null and empty are different things", "[batch_builder]") {
  BatchBuilder builder;
  const std::vector<HeaderView> headers = {
      {"null", std::nullopt}, {"empty", Bytes{}}, {"", Bytes{}}};
  REQUIRE(builder.add(noon, std::nullopt, Bytes{}));
  REQUIRE(builder.add(noon, Bytes{}, std::nullopt, headers));
  const auto records = read_all(*builder.finish());
  REQUIRE(records.size() == 2);
  CHECK(!records[0].key);
  CHECK(records[0].value == Buffer{});
  CHECK(records[1].key == Buffer{});
  CHECK(!records[1].value);
  REQUIRE(records[1].headers.size() == 3);
  CHECK(!records[1].headers[0].value);
  CHECK(records[1].headers[1].value == Buffer{});
  CHECK(records[1].headers[2].key.empty());
}

TEST_CASE("timestamps may go down, and be as far apart as they like", "[batch_builder]") {
  BatchBuilder builder;
  constexpr auto least = std::numeric_limits<std::int64_t>::min();
  constexpr auto greatest = std::numeric_limits<std::int64_t>::max();
  for (const std::int64_t time :
       {std::int64_t{1000}, std::int64_t{1}, std::int64_t{-1}, greatest, least})
    REQUIRE(builder.add(Timestamp{time}, std::nullopt, Bytes{}));
  const auto bytes = builder.finish();
  const auto records = read_all(*bytes);
  REQUIRE(records.size() == 5);
  CHECK(records[1].timestamp == 1);
  CHECK(records[2].timestamp == -1);
  CHECK(records[3].timestamp == greatest);
  CHECK(records[4].timestamp == least);
  CHECK(BatchView::try_parse(*bytes).max_timestamp().milliseconds() == greatest);
}

TEST_CASE("a batch needs a record to be finished", "[batch_builder]") {
  BatchBuilder builder;
  CHECK(builder.empty());
  const auto refused = builder.finish();
  REQUIRE(!refused);
  CHECK(refused.error().code() == Errc::invalid_record);
  REQUIRE(builder.add(noon, std::nullopt, Bytes{}));
  CHECK(builder.finish());
  builder.reset();
  CHECK(builder.empty());
  CHECK(builder.size_bytes() == layout::header_bytes);
  CHECK(!builder.finish());
}

TEST_CASE("a record that no batch can hold is refused and leaves the batch as it was",
          "[batch_builder]") {
  BatchBuilder builder;
  REQUIRE(builder.add(noon, std::nullopt, as_bytes("kept")));
  const std::byte one{};
  // Never read: the size alone decides.
  const Bytes huge(&one, std::size_t{1} << 31);
  const auto refused = builder.add(noon, std::nullopt, huge);
  REQUIRE(!refused);
  CHECK(refused.error().code() == Errc::invalid_record);
  REQUIRE(builder.add(noon, std::nullopt, as_bytes("too")));
  const auto records = read_all(*builder.finish());
  REQUIRE(records.size() == 2);
  CHECK(records[1].value == own(as_bytes("too")));
}

TEST_CASE("a moved-from builder is empty and works", "[batch_builder]") {
  BatchBuilder first({.transactional = true});
  REQUIRE(first.add(noon, std::nullopt, as_bytes("one")));
  BatchBuilder second(std::move(first));
  CHECK(second.record_count() == 1);
  CHECK(first.empty());  // NOLINT(bugprone-use-after-move): this is what is tested
  REQUIRE(first.add(noon, std::nullopt, as_bytes("two")));
  REQUIRE(first.add(noon, std::nullopt, as_bytes("three")));
  CHECK(read_all(*first.finish()).size() == 2);
  CHECK(BatchView::try_parse(*first.finish()).is_transactional());
  CHECK(read_all(*second.finish()).size() == 1);
  second = std::move(first);
  CHECK(read_all(*second.finish()).size() == 2);
}

TEST_CASE("compacted batches keep their offsets", "[batch_builder]") {
  BatchBuilder builder({.producer = {5, 1, 100}});
  REQUIRE(builder.add_at(3, noon, as_bytes("a"), as_bytes("1"), {}));
  REQUIRE(builder.add_at(8, noon + std::chrono::milliseconds(5), as_bytes("b"), as_bytes("2"), {}));
  CHECK(builder.add_at(8, noon, std::nullopt, std::nullopt, {}).error().code() ==
        Errc::invalid_argument);
  CHECK(builder.finish_compacted(7, std::nullopt).error().code() == Errc::invalid_argument);
  const auto bytes = builder.finish_compacted(20, std::nullopt);
  REQUIRE(bytes);
  stamp_batch(*bytes, Offset{1000}, LeaderEpoch{4});
  const auto batch = BatchView::try_parse(*bytes);
  CHECK(batch.last_offset() == Offset{1020});
  CHECK(batch.next_offset() == Offset{1021});
  CHECK(batch.leader_epoch() == LeaderEpoch{4});
  CHECK(batch.producer() == ProducerIdentity{5, 1, 100});
  CHECK(!batch.delete_horizon());
  const auto records = read_all(*bytes);
  REQUIRE(records.size() == 2);
  CHECK(records[0].offset == 1003);
  CHECK(records[1].offset == 1008);
}

TEST_CASE("a delete horizon becomes the base timestamp, the records keep theirs",
          "[batch_builder]") {
  BatchBuilder builder;
  const std::vector<HeaderView> headers = {{"k", as_bytes("v")}};
  REQUIRE(builder.add(noon, as_bytes("a"), std::nullopt, headers));
  REQUIRE(builder.add(noon + std::chrono::milliseconds(7), as_bytes("b"), as_bytes("2")));
  const auto before = read_all(*builder.finish());
  const Timestamp horizon = noon + std::chrono::hours(24);
  const auto bytes = builder.finish_compacted(1, horizon);
  REQUIRE(bytes);
  const auto batch = BatchView::try_parse(*bytes);
  CHECK(batch.delete_horizon() == horizon);
  CHECK(batch.base_timestamp() == horizon);
  CHECK(batch.max_timestamp() == noon + std::chrono::milliseconds(7));
  CHECK(read_all(*bytes) == before);
}

TEST_CASE("a compacted batch may be empty", "[batch_builder]") {
  BatchBuilder builder({.producer = {5, 1, 100}});
  const auto bytes = builder.finish_compacted(20, noon);
  REQUIRE(bytes);
  CHECK(bytes->size() == layout::header_bytes);
  CHECK(read_all(*bytes).empty());
  const auto batch = BatchView::try_parse(*bytes);
  CHECK(batch.record_count() == 0);
  CHECK(batch.last_offset() == Offset{20});
  CHECK(batch.delete_horizon() == noon);
  CHECK(batch.max_timestamp() == Timestamp::none());
  BatchBuilder timed({.producer = {5, 1, 100}});
  CHECK(BatchView::try_parse(*timed.finish_compacted(0, std::nullopt, noon)).max_timestamp() ==
        noon);
}

TEST_CASE("stamping offset and epoch leaves the CRC alone", "[batch_builder]") {
  BatchBuilder builder;
  REQUIRE(builder.add(noon, std::nullopt, as_bytes("v")));
  const auto bytes = builder.finish();
  const std::uint32_t crc = BatchView::try_parse(*bytes).stored_crc();
  stamp_batch(*bytes, Offset{1'234'567'890'123}, LeaderEpoch{42});
  const auto batch = BatchView::try_parse(*bytes);
  CHECK(batch.stored_crc() == crc);
  CHECK(batch.crc_matches());
  CHECK(batch.base_offset() == Offset{1'234'567'890'123});
  CHECK(batch.leader_epoch() == LeaderEpoch{42});
}

TEST_CASE("with the append time all records have that time", "[batch_builder]") {
  BatchBuilder builder;
  for (int i = 0; i < 3; ++i)
    REQUIRE(builder.add(noon + std::chrono::milliseconds(i), std::nullopt, as_bytes("v")));
  const auto bytes = builder.finish();
  const Timestamp time = noon + std::chrono::hours(1);
  stamp_append_time(*bytes, time);
  const auto batch = BatchView::try_parse(*bytes);
  CHECK(batch.crc_matches());
  CHECK(batch.timestamp_type() == TimestampType::log_append_time);
  CHECK(batch.max_timestamp() == time);
  CHECK(batch.base_timestamp() == noon);
  for (const OwnedRecord& record : read_all(*bytes)) CHECK(record.timestamp == time.milliseconds());
}

TEST_CASE("encode_single writes what the builder writes", "[batch_builder]") {
  const std::uint64_t seed = millrace_test::campaign_seed(41);
  INFO("MILLRACE_SEED=" << seed);
  RandomRecords source(seed);
  BatchBuilder builder;
  for (int round = 0; round < 3000; ++round) {
    OwnedRecord record = source.record();
    // Half of them are of the plain kind, of every size around the steps.
    if (round % 2 == 0) {
      record.key.reset();
      record.headers.clear();
      record.value = Buffer(static_cast<std::size_t>(round < 600 ? round / 2 : source.below(9000)),
                            std::byte{'v'});
    }
    const auto headers = header_views(record);
    const Timestamp time{record.timestamp};
    Buffer room(single_record_bound(view(record.key), view(record.value), headers) + 1,
                std::byte{0xee});
    const std::size_t size = encode_single(room.data(), time, view(record.key), view(record.value),
                                           headers, Offset{99}, LeaderEpoch{7});
    REQUIRE(size < room.size());
    REQUIRE(room.back() == std::byte{0xee});
    builder.reset();
    REQUIRE(builder.add(time, view(record.key), view(record.value), headers));
    const auto expected = builder.finish();
    REQUIRE(expected);
    stamp_batch(*expected, Offset{99}, LeaderEpoch{7});
    REQUIRE(to_hex(Bytes(room).first(size)) == to_hex(*expected));
  }
}
