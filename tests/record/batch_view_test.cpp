#include <millrace/record/batch_builder.hpp>
#include <millrace/record/batch_view.hpp>
#include <millrace/record/compression.hpp>
#include <random>

#include "campaign.hpp"
#include "catch.hpp"
#include "support/bytes.hpp"
#include "support/vectors.hpp"

using namespace millrace;
using namespace millrace::record;
using millrace::test::from_hex;
using Buffer = std::vector<std::byte>;
using Step = RecordCursor::Step;

namespace {

constexpr Timestamp noon{1'600'000'000'000};

Buffer copy_of(const Result<MutableBytes>& batch) {
  REQUIRE(batch);
  return {batch->begin(), batch->end()};
}

/// A batch of `count` records whose sizes, times and deltas are drawn; with gaps if compacted.
Buffer random_batch(std::mt19937_64& random, int count, bool compacted) {
  BatchBuilder builder;
  std::int32_t delta = -1;
  const std::uint64_t sizes = random() % 3 == 0 ? 1 : 1 + random() % 300;
  const std::uint64_t times = random() % 2 == 0 ? 1 : 1 + random() % 100'000;
  const Buffer bytes(400, std::byte{'x'});
  for (int i = 0; i < count; ++i) {
    delta += 1 + static_cast<std::int32_t>(compacted ? random() % 200 : 0);
    const Timestamp time = noon + std::chrono::milliseconds(random() % times);
    const Bytes value = Bytes(bytes).first(20 + random() % sizes);
    const bool with_key = random() % 8 == 0;
    REQUIRE(builder.add_at(delta, time, with_key ? std::optional(value) : std::nullopt, value, {}));
  }
  auto batch = copy_of(builder.finish_compacted(delta + (compacted ? 9 : 0), std::nullopt));
  stamp_batch(batch, Offset{5000}, LeaderEpoch{0});
  return batch;
}

struct Walked {
  Step last = Step::end;
  std::vector<std::int64_t> offsets;
};

/// All steps to the end; touches every byte the records point to, so that a sanitizer sees them.
Walked walk(BatchView batch, std::size_t limit = 1u << 20) {
  Walked walked;
  Buffer scratch;
  auto cursor = RecordCursor::open(batch, scratch, limit);
  if (!cursor) {
    walked.last = Step::malformed;
    return walked;
  }
  unsigned sum = 0;
  const auto touch = [&](Bytes bytes) {
    for (std::byte b : bytes) sum += std::to_integer<unsigned>(b);
  };
  RecordView record;
  while ((walked.last = cursor->next(record)) == Step::record) {
    walked.offsets.push_back(record.offset.value());
    touch(record.key.value_or(Bytes{}));
    touch(record.value.value_or(Bytes{}));
    for (const HeaderView& header : record.headers) {
      touch(as_bytes(header.key));
      touch(header.value.value_or(Bytes{}));
    }
  }
  volatile unsigned seen = sum;
  static_cast<void>(seen);
  // Malformed is final.
  if (walked.last == Step::malformed) CHECK(cursor->next(record) == Step::malformed);
  return walked;
}

/// A sound batch to damage: nulls, headers, several records.
Buffer sample() {
  BatchBuilder builder;
  const std::vector<HeaderView> headers = {{"name", as_bytes("value")}, {"none", std::nullopt}};
  REQUIRE(builder.add(noon, std::nullopt, as_bytes("first value")));
  REQUIRE(
      builder.add(noon + std::chrono::milliseconds(900), as_bytes("key"), std::nullopt, headers));
  REQUIRE(builder.add(noon - std::chrono::milliseconds(5), as_bytes("key"),
                      as_bytes(std::string(90, 'x'))));
  REQUIRE(builder.add(noon, Bytes{}, Bytes{}));
  return copy_of(builder.finish());
}

template <typename T>
Buffer with_field(std::size_t at, T value) {
  Buffer bytes = sample();
  store_big(bytes.data() + at, value);
  return bytes;
}

/// A batch of one record section given as hex, with its CRC.
Buffer batch_of(const std::string& records_hex, std::int32_t count, std::int32_t last_delta = 0) {
  BatchBuilder builder;
  Buffer batch = copy_of(builder.finish_compacted(last_delta, std::nullopt));
  const Buffer records = from_hex(records_hex);
  batch.insert(batch.end(), records.begin(), records.end());
  store_big(batch.data() + layout::batch_length, static_cast<std::int32_t>(batch.size() - 12));
  store_big(batch.data() + layout::record_count, count);
  return batch;
}

Step first_step(const Buffer& batch) {
  Buffer scratch;
  const auto parsed = BatchView::parse(batch);
  REQUIRE(parsed);
  auto cursor = RecordCursor::open(*parsed, scratch);
  REQUIRE(cursor);
  RecordView record;
  return cursor->next(record);
}

}  // namespace

TEST_CASE("what is no batch is refused", "[batch_view]") {
  const auto refused = [](const Buffer& bytes) {
    const auto batch = BatchView::parse(bytes);
    REQUIRE(!batch);
    CHECK(batch.error().code() == Errc::corrupt_data);
    CHECK(BatchView::try_parse(bytes).size() == 0);
  };
  REQUIRE(BatchView::parse(sample()));
  refused({});
  for (const std::size_t size : {1u, 61u, 62u, 4096u}) refused(Buffer(size, std::byte{0}));
  refused(Buffer(4096, std::byte{0xff}));
  refused(with_field(layout::batch_length, std::int32_t{-1}));
  refused(with_field(layout::batch_length, std::int32_t{0}));
  refused(with_field(layout::batch_length, std::int32_t{48}));
  refused(with_field(layout::batch_length, std::numeric_limits<std::int32_t>::min()));
  refused(with_field(layout::batch_length, std::numeric_limits<std::int32_t>::max()));
  refused(with_field(layout::batch_length, static_cast<std::int32_t>(sample().size() - 11)));
  for (const int magic : {0, 1, 3, -1})
    refused(with_field(layout::magic, static_cast<std::int8_t>(magic)));
  refused(with_field(layout::last_offset_delta, std::int32_t{-1}));
  refused(with_field(layout::record_count, std::int32_t{-1}));
  refused(with_field(layout::base_offset, std::int64_t{-1}));
  refused(with_field(layout::base_offset, std::numeric_limits<std::int64_t>::max()));
  for (const int codec : {5, 6, 7})
    refused(with_field(layout::attributes, static_cast<std::int16_t>(codec)));
}

TEST_CASE("a batch is cut out of what follows it", "[batch_view]") {
  Buffer bytes = sample();
  const std::size_t size = bytes.size();
  bytes.resize(size + 100);
  const auto batch = BatchView::parse(bytes);
  REQUIRE(batch);
  CHECK(batch->size() == size);
  CHECK(batch->bytes().data() == bytes.data());
  CHECK(batch->payload().size() == size - layout::header_bytes);
  CHECK(batch->crc_matches());
  CHECK(walk(*batch).offsets == std::vector<std::int64_t>{0, 1, 2, 3});
}

TEST_CASE("an empty view has no records", "[batch_view]") {
  CHECK(walk(BatchView()).last == Step::end);
  RecordCursor cursor;
  RecordView record;
  CHECK(cursor.next(record) == Step::end);
  CHECK(cursor.skip_to(Offset{5}, record) == Step::end);
}

TEST_CASE("every truncation of the published batches is refused", "[batch_view]") {
  for (const char* file : {"record-batches-v2.json", "record-batches-v2-foreign.json"}) {
    const auto vectors = test::load_vectors(file).at("vectors");
    for (const auto& vector : vectors) {
      INFO(vector["name"].get<std::string>());
      const Buffer whole = from_hex(vector["hex"].get<std::string>());
      for (std::size_t size = 0; size < whole.size(); ++size) {
        // A copy of exactly that size: reading past it would be seen by a sanitizer.
        Buffer cut(whole.begin(), whole.begin() + static_cast<std::ptrdiff_t>(size));
        REQUIRE(BatchView::try_parse(cut).size() == 0);
        if (size < layout::header_bytes) continue;
        // The same with a length that fits: the CRC tells, and the records never run over.
        store_big(cut.data() + layout::batch_length, static_cast<std::int32_t>(size - 12));
        const BatchView batch = BatchView::try_parse(cut);
        REQUIRE(batch.size() == size);
        REQUIRE(!batch.crc_matches());
        REQUIRE((walk(batch).last == Step::malformed || batch.codec() == Codec::snappy));
      }
    }
  }
}

TEST_CASE("every flipped bit of the published batches is survived, and caught by the CRC",
          "[batch_view]") {
  for (const char* file : {"record-batches-v2.json", "record-batches-v2-foreign.json"}) {
    const auto vectors = test::load_vectors(file).at("vectors");
    for (const auto& vector : vectors) {
      INFO(vector["name"].get<std::string>());
      const Buffer whole = from_hex(vector["hex"].get<std::string>());
      for (std::size_t bit = 0; bit < 8 * whole.size(); ++bit) {
        INFO("bit " << bit);
        Buffer damaged = whole;
        damaged[bit / 8] ^= static_cast<std::byte>(1u << (bit % 8));
        const BatchView batch = BatchView::try_parse(damaged);
        if (batch.size() == 0) continue;
        if (bit / 8 >= layout::crc && batch.size() == whole.size()) REQUIRE(!batch.crc_matches());
        walk(batch, 100'000);
      }
    }
  }
}

TEST_CASE("records that break the format are malformed", "[batch_view]") {
  // length 6: attributes, time, offset, null key, null value, no headers
  const std::string sound = "0c000000010100";
  CHECK(first_step(batch_of(sound, 1)) == Step::record);
  CHECK(walk(BatchView::try_parse(batch_of(sound, 1))).last == Step::end);
  // Fewer or more records than the header says.
  CHECK(walk(BatchView::try_parse(batch_of(sound, 2, 1))).last == Step::malformed);
  CHECK(walk(BatchView::try_parse(batch_of(sound, 0))).last == Step::malformed);
  CHECK(walk(BatchView::try_parse(batch_of("", std::numeric_limits<std::int32_t>::max()))).last ==
        Step::malformed);
  const char* broken[] = {
      "0b000000010100",                      // negative length
      "0a0000000101",                        // shorter than any record
      "0e000000010100",                      // longer than what is there
      "ffffffff0f000000010100",              // length -2^31
      "ffffffffff0f000000010100",            // six bytes of length
      "0c000001010100",                      // offset delta -1
      "0c000002010100",                      // offset delta beyond the last
      "0c000000030100",                      // key length -2
      "0c000000010300",                      // value length -2
      "0c000000080100",                      // key longer than the record
      "0c000000010800",                      // value longer than the record
      "0c000000010101",                      // header count -1
      "0c000000010102",                      // one header, none there
      "0e00000001010000",                    // a byte left over
      "10000000010102ff",                    // cut in the header
      "120000000101020100",                  // header key length -1
      "120000000101020003",                  // header value length -2
      "1e00ffffffffffffffffff7f0001010000",  // a time of more than 64 bits
  };
  for (const char* records : broken) {
    INFO(records);
    CHECK(first_step(batch_of(records, 1)) == Step::malformed);
  }
}

TEST_CASE("offsets rise within a batch", "[batch_view]") {
  const std::string at_0 = "0c000000010100", at_1 = "0c000002010100", at_3 = "0c000006010100";
  const auto last_step = [](const std::string& records, std::int32_t count) {
    return walk(BatchView::try_parse(batch_of(records, count, 3))).last;
  };
  CHECK(last_step(at_0 + at_1 + at_3, 3) == Step::end);
  CHECK(last_step(at_0 + at_0, 2) == Step::malformed);
  CHECK(last_step(at_1 + at_0, 2) == Step::malformed);
}

TEST_CASE("headers of a damaged list end early", "[record_view]") {
  const auto count = [](const std::string& hex, std::int32_t headers) {
    const Buffer bytes = from_hex(hex);
    int seen = 0;
    for (const HeaderView& header : HeaderList(bytes, headers)) {
      static_cast<void>(header);
      ++seen;
    }
    return seen;
  };
  CHECK(count("", 0) == 0);
  CHECK(count("026b0276"
              "026b01",
              2) == 2);
  CHECK(count("026b0276"
              "026b01",
              1) == 1);
  CHECK(count("026b0276", 2) == 1);
  CHECK(count("026b0476", 1) == 0);
  CHECK(count("ffffffff0f", 1) == 0);
  CHECK(count("", std::numeric_limits<std::int32_t>::max()) == 0);
}

TEST_CASE("skip_to finds what next finds", "[batch_view]") {
  const std::uint64_t seed = millrace_test::campaign_seed(50);
  INFO("MILLRACE_SEED=" << seed);
  std::mt19937_64 random(seed);
  for (std::uint64_t round = 0; round < millrace_test::campaign_rounds(300, 30'000); ++round) {
    INFO("round " << round);
    const bool compacted = random() % 2 == 0;
    const Buffer bytes = random_batch(random, 1 + static_cast<int>(random() % 200), compacted);
    const BatchView batch = BatchView::try_parse(bytes);
    REQUIRE(batch.size() == bytes.size());
    const Walked all = walk(batch);
    REQUIRE(all.last == Step::end);
    Buffer scratch;
    for (int i = 0; i < 20; ++i) {
      const auto range = static_cast<std::uint64_t>(batch.last_offset_delta()) + 4;
      std::int64_t offset = 4998 + static_cast<std::int64_t>(random() % range);
      auto cursor = RecordCursor::open(batch, scratch);
      RecordView record;
      // Several skips of one cursor, the later ones further on.
      for (auto at = all.offsets.begin();; offset += static_cast<std::int64_t>(random() % 50)) {
        at = std::lower_bound(at, all.offsets.end(), offset);
        const Step step = cursor->skip_to(Offset{offset}, record);
        if (at == all.offsets.end()) {
          REQUIRE(step == Step::end);
          break;
        }
        REQUIRE(step == Step::record);
        REQUIRE(record.offset == Offset{*at++});
      }
    }
  }
}

TEST_CASE("skip_to survives damage", "[batch_view]") {
  const std::uint64_t seed = millrace_test::campaign_seed(51);
  INFO("MILLRACE_SEED=" << seed);
  std::mt19937_64 random(seed);
  for (std::uint64_t round = 0; round < millrace_test::campaign_rounds(3000, 300'000); ++round) {
    INFO("round " << round);
    Buffer bytes = random_batch(random, 1 + static_cast<int>(random() % 20), random() % 2 == 0);
    for (std::uint64_t i = 1 + random() % 3; i > 0; --i) {
      const std::size_t at =
          layout::header_bytes + random() % (bytes.size() - layout::header_bytes);
      bytes[at] = static_cast<std::byte>(random());
    }
    const BatchView batch = BatchView::try_parse(bytes);
    const Walked all = walk(batch);
    Buffer scratch;
    auto cursor = RecordCursor::open(batch, scratch);
    RecordView record;
    const Offset wanted = batch.base_offset() + batch.last_offset_delta() / 2;
    const Step step = cursor->skip_to(wanted, record);
    const auto at = std::lower_bound(all.offsets.begin(), all.offsets.end(), wanted.value());
    // Bodies that are passed over are not looked at, so a skip may find what a walk does not.
    if (at != all.offsets.end()) {
      REQUIRE(step == Step::record);
      REQUIRE(record.offset.value() == *at);
    } else if (step == Step::record) {
      REQUIRE(record.offset >= wanted);
      REQUIRE(record.offset <= batch.last_offset());
    }
  }
}

TEST_CASE("compressed batches open within the limit only", "[batch_view]") {
  for (const Codec codec : {Codec::gzip, Codec::snappy, Codec::lz4, Codec::zstd}) {
    if (!codec_available(codec)) continue;
    INFO(codec_name(codec));
    BatchBuilder builder({.codec = codec});
    const Buffer value(1000, std::byte{'v'});
    for (int i = 0; i < 50; ++i) REQUIRE(builder.add(noon, std::nullopt, Bytes(value)));
    const std::size_t records_bytes = builder.size_bytes() - layout::header_bytes;
    const Buffer bytes = copy_of(builder.finish());
    CHECK(bytes.size() < 10'000);
    const BatchView batch = BatchView::try_parse(bytes);
    Buffer scratch;
    CHECK(RecordCursor::open(batch, scratch, records_bytes));
    const auto refused = RecordCursor::open(batch, scratch, records_bytes - 1);
    REQUIRE(!refused);
    CHECK(refused.error().code() == Errc::corrupt_data);
    CHECK(walk(batch).offsets.size() == 50);

    // Rewritten by compaction, a batch without records has no payload at all.
    BatchBuilder none({.codec = codec});
    Buffer empty = copy_of(none.finish_compacted(3, std::nullopt));
    empty.resize(layout::header_bytes);
    store_big(empty.data() + layout::batch_length,
              static_cast<std::int32_t>(layout::header_bytes - layout::length_overhead));
    CHECK(walk(BatchView::try_parse(empty)).last == Step::end);
  }
}
