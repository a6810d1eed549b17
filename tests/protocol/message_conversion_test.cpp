#include <millrace/protocol/message_conversion.hpp>
#include <millrace/protocol/message_set.hpp>
#include <millrace/record/batch_builder.hpp>
#include <millrace/record/batch_view.hpp>
#include <millrace/record/compression.hpp>

#include "catch.hpp"
#include "support/bytes.hpp"
#include "support/vectors.hpp"

using namespace millrace;
using namespace millrace::protocol;
using millrace::test::from_hex;
using millrace::test::to_hex;
using nlohmann::json;
using record::BatchBuilder;
using record::BatchView;
using record::Codec;

namespace {

void append(std::vector<std::byte>& to, Bytes bytes) {
  to.insert(to.end(), bytes.begin(), bytes.end());
}

/// `offset: key=value @time` of each record.
std::vector<std::string> texts_of(Bytes set) {
  const auto parsed = MessageSet::parse(set);
  REQUIRE(parsed);
  std::vector<std::string> texts;
  for (const LegacyRecord& record : parsed->records()) {
    texts.push_back(std::to_string(record.offset.value()) + ": " +
                    std::string(record.key ? as_text(*record.key) : "null") + "=" +
                    std::string(record.value ? as_text(*record.value) : "null") + " @" +
                    std::to_string(record.timestamp.milliseconds()));
  }
  return texts;
}

/// Records k=v0, v1, ... from `base` on.
std::vector<std::byte> batch_of(std::int64_t base, int records,
                                const record::BatchOptions& options = {}) {
  BatchBuilder builder(options);
  for (int i = 0; i < records; ++i) {
    const std::string value = "v" + std::to_string(i);
    const std::vector<record::HeaderView> headers = {{"lost", as_bytes("on the way")}};
    REQUIRE(builder.add(Timestamp{1000 + i}, as_bytes("k"), as_bytes(value), headers));
  }
  const auto batch = builder.finish();
  REQUIRE(batch);
  record::stamp_batch(*batch, Offset{base}, LeaderEpoch{3});
  return {batch->begin(), batch->end()};
}

DownConverted down(Bytes batches, const DownConversion& options) {
  auto converted = down_convert(batches, options);
  REQUIRE(converted);
  return *std::move(converted);
}

}  // namespace

TEST_CASE("message sets become batches and are the same when converted back",
          "[protocol][vectors]") {
  const json vectors = test::load_vectors("message-sets-legacy.json").at("vectors");
  std::string plain;  // of the same magic, uncompressed
  for (const json& vector : vectors) {
    INFO(vector.at("name").get<std::string>());
    const auto magic = vector.at("magic").get<std::int8_t>();
    const auto hex = vector.at("hex").get<std::string>();
    if (vector.at("codec") == "none") plain = hex;
    const auto batches = up_convert(from_hex(hex));
    REQUIRE(batches);
    const auto batch = BatchView::parse(*batches);
    REQUIRE(batch);
    CHECK(batch->size() == batches->size());
    CHECK(batch->crc_matches());
    CHECK(batch->base_offset() == Offset{0});
    CHECK(record::codec_name(batch->codec()) == vector.at("codec").get<std::string>());
    CHECK(batch->max_timestamp().milliseconds() ==
          (magic == 0 ? -1 : vector.at("records").back().at("timestamp").get<std::int64_t>()));
    CHECK(to_hex(down(*batches, {.magic = magic}).set) == plain);
  }
}

TEST_CASE("another codec can be asked for", "[protocol]") {
  std::vector<std::byte> set;
  write_legacy_record({.value = as_bytes("v")}, 1, set);
  const auto batches = up_convert(set, {.codec = Codec::gzip});
  REQUIRE(batches);
  CHECK(BatchView::parse(*batches)->codec() == Codec::gzip);
}

TEST_CASE("batches among the records of a set stay as they are", "[protocol]") {
  const auto batch = batch_of(0, 2);
  std::vector<std::byte> set = batch;
  append(set, batch);
  for (const std::int8_t magic : {std::int8_t{0}, std::int8_t{1}})
    write_legacy_record({.timestamp = Timestamp{7}, .value = as_bytes("v")}, magic, set);
  append(set, batch);
  const auto converted = up_convert(set);
  REQUIRE(converted);
  const Bytes all = *converted;
  CHECK(to_hex(all.first(2 * batch.size())) == to_hex(batch) + to_hex(batch));
  const auto between = BatchView::parse(all.subspan(2 * batch.size()));
  REQUIRE(between);
  CHECK(between->record_count() == 2);
  CHECK(to_hex(all.subspan(2 * batch.size() + between->size())) == to_hex(batch));
}

TEST_CASE("sets that cannot be converted up are refused", "[protocol]") {
  std::vector<std::byte> set;
  write_legacy_record({.timestamp_type = record::TimestampType::log_append_time}, 1, set);
  const auto append_time = up_convert(set);
  REQUIRE_FALSE(append_time);
  CHECK(append_time.error().code() == Errc::invalid_record);
  set.clear();
  write_legacy_record({.value = as_bytes("value")}, 1, set);
  for (std::size_t size = 1; size < set.size(); ++size) {
    INFO(size);
    const auto cut = up_convert(Bytes(set).first(size));
    REQUIRE_FALSE(cut);
    CHECK(cut.error().code() == Errc::corrupt_data);
  }
  const auto nothing = up_convert({});
  REQUIRE(nothing);
  CHECK(nothing->empty());
}

TEST_CASE("batches become records with their own offsets", "[protocol]") {
  auto batches = batch_of(100, 3, {.codec = Codec::gzip});
  append(batches, batch_of(105, 1));
  CHECK(texts_of(down(batches, {.magic = 1, .from = Offset{101}}).set) ==
        std::vector<std::string>{"101: k=v1 @1001", "102: k=v2 @1002", "105: k=v0 @1000"});
  CHECK(texts_of(down(batches, {.magic = 0, .from = Offset{105}}).set) ==
        std::vector<std::string>{"105: k=v0 @-1"});
  CHECK(down(batches, {}).next_offset == Offset{106});
}

TEST_CASE("the append time of a batch is that of its records", "[protocol]") {
  auto batch = batch_of(0, 2);
  record::stamp_append_time(batch, Timestamp{9999});
  const auto converted = down(batch, {.magic = 1});
  CHECK(texts_of(converted.set) == std::vector<std::string>{"0: k=v0 @9999", "1: k=v1 @9999"});
  CHECK(MessageSet::parse(converted.set)->records()[0].timestamp_type ==
        record::TimestampType::log_append_time);
}

TEST_CASE("control batches become nothing, and are passed", "[protocol]") {
  const auto marker =
      batch_of(7, 1, {.transactional = true, .control = true, .producer = {5, 0, -1}});
  const auto alone = down(marker, {.from = Offset{7}});
  CHECK(alone.set.empty());
  CHECK(alone.next_offset == Offset{8});
  auto batches = marker;
  append(batches, batch_of(8, 1));
  CHECK(texts_of(down(batches, {}).set) == std::vector<std::string>{"8: k=v0 @1000"});
}

TEST_CASE("a set ends with the record that fills it", "[protocol]") {
  auto batches = batch_of(0, 3);
  append(batches, batch_of(3, 3));
  const std::size_t one = down(batches, {.max_bytes = 1}).set.size();
  CHECK(down(batches, {.max_bytes = 1}).next_offset == Offset{1});
  CHECK(down(batches, {.max_bytes = one}).next_offset == Offset{1});
  CHECK(down(batches, {.max_bytes = one + 1}).next_offset == Offset{2});
  CHECK(down(batches, {.from = Offset{2}, .max_bytes = 3 * one}).next_offset == Offset{5});
  CHECK(down(batches, {.max_bytes = 6 * one}).set.size() == 6 * one);
}

TEST_CASE("a set ends in front of a batch that cannot be converted", "[protocol]") {
  auto batches = batch_of(0, 1);
  const std::size_t first = batches.size();
  append(batches, batch_of(1, 1));
  batches.pop_back();
  const auto sound = down(batches, {});
  CHECK(sound.next_offset == Offset{1});
  const auto damaged = down_convert(Bytes(batches).subspan(first), {.from = Offset{1}});
  REQUIRE_FALSE(damaged);
  CHECK(damaged.error().code() == Errc::corrupt_data);
}
