#include <boost/crc.hpp>
#include <millrace/protocol/message_set.hpp>
#include <millrace/protocol/wire.hpp>
#include <millrace/record/compression.hpp>
#include <random>

#include "campaign.hpp"
#include "catch.hpp"
#include "support/bytes.hpp"
#include "support/vectors.hpp"

using namespace millrace;
using namespace millrace::protocol;
using millrace::test::from_hex;
using millrace::test::to_hex;
using nlohmann::json;
using record::Codec;

namespace {

json all_vectors() {
  return test::load_vectors("message-sets-legacy.json").at("vectors");
}

json hex_or_null(const std::optional<Bytes>& bytes) {
  return bytes ? json(to_hex(*bytes)) : json(nullptr);
}

json to_json(const std::vector<LegacyRecord>& records) {
  json all = json::array();
  for (const LegacyRecord& record : records) {
    all.push_back({{"offset", record.offset.value()},
                   {"timestamp", record.timestamp.milliseconds()},
                   {"key", hex_or_null(record.key)},
                   {"value", hex_or_null(record.value)}});
  }
  return all;
}

json wanted_of(const json& vector) {
  json all = vector.at("records");
  for (json& record : all) {
    record.erase("crc");
    if (record["timestamp"].is_null()) record["timestamp"] = -1;
  }
  return all;
}

/// A record with any attributes, for what write_legacy_record() does not write.
struct RawRecord {
  std::int64_t offset = 0;
  std::int8_t magic = 1;
  std::int8_t attributes = 0;
  std::int64_t timestamp = 1000;
  std::optional<Bytes> value = as_bytes("v");
};

std::vector<std::byte> raw(const RawRecord& record) {
  std::vector<std::byte> body;
  WireWriter writer(body);
  writer.int8(record.magic);
  writer.int8(record.attributes);
  if (record.magic > 0) writer.int64(record.timestamp);
  writer.nullable_bytes(std::nullopt);
  writer.nullable_bytes(record.value);
  boost::crc_32_type crc;
  crc.process_bytes(body.data(), body.size());
  std::vector<std::byte> all;
  WireWriter head(all);
  head.int64(record.offset);
  head.int32(static_cast<std::int32_t>(body.size() + 4));
  head.uint32(crc.checksum());
  head.raw(body);
  return all;
}

std::vector<std::byte> joined(const std::vector<RawRecord>& records) {
  std::vector<std::byte> all;
  for (const RawRecord& record : records) {
    const auto bytes = raw(record);
    all.insert(all.end(), bytes.begin(), bytes.end());
  }
  return all;
}

std::vector<std::byte> wrapped(Codec codec, RawRecord wrapper,
                               const std::vector<std::byte>& inner) {
  std::vector<std::byte> compressed;
  REQUIRE(record::compress(codec, -1, inner, compressed));
  wrapper.attributes = static_cast<std::int8_t>(wrapper.attributes | static_cast<int>(codec));
  wrapper.value = compressed;
  return raw(wrapper);
}

std::vector<std::int64_t> offsets_of(const std::vector<std::byte>& bytes) {
  const auto set = MessageSet::parse(bytes);
  REQUIRE(set);
  std::vector<std::int64_t> offsets;
  for (const LegacyRecord& record : set->records()) offsets.push_back(record.offset.value());
  return offsets;
}

std::string refused(const std::vector<std::byte>& bytes, Errc code = Errc::corrupt_data) {
  const auto set = MessageSet::parse(bytes, 1u << 20);
  REQUIRE_FALSE(set);
  CHECK(set.error().code() == code);
  return set.error().message();
}

}  // namespace

TEST_CASE("message sets of other clients are read", "[protocol][vectors]") {
  for (const json& vector : all_vectors()) {
    INFO(vector.at("name").get<std::string>());
    const auto bytes = from_hex(vector.at("hex").get<std::string>());
    const auto set = MessageSet::parse(bytes);
    REQUIRE(set);
    CHECK(to_json(set->records()) == wanted_of(vector));
    CHECK(record::codec_name(set->codec()) == vector.at("codec").get<std::string>());
  }
}

TEST_CASE("uncompressed records are written as other clients do", "[protocol][vectors]") {
  for (const json& vector : all_vectors()) {
    if (vector.at("codec") != "none") continue;
    const auto bytes = from_hex(vector.at("hex").get<std::string>());
    const auto set = MessageSet::parse(bytes);
    REQUIRE(set);
    std::vector<std::byte> written;
    for (const LegacyRecord& record : set->records())
      write_legacy_record(record, vector.at("magic").get<std::int8_t>(), written);
    CHECK(to_hex(written) == to_hex(bytes));
  }
}

TEST_CASE("message sets that are cut short or damaged are refused", "[protocol][vectors]") {
  const std::uint64_t seed = millrace_test::campaign_seed(6);
  INFO("MILLRACE_SEED=" << seed);
  std::mt19937_64 random(seed);
  for (const json& vector : all_vectors()) {
    const auto bytes = from_hex(vector.at("hex").get<std::string>());
    std::size_t read = 0;
    for (std::size_t size = 1; size < bytes.size(); ++size)
      read += MessageSet::parse(std::vector(bytes.data(), bytes.data() + size)) ? 1u : 0u;
    CHECK(read == (vector.at("codec") == "none" ? 4u : 0u));
    for (int round = 0; round < 500; ++round) {
      auto damaged = bytes;
      // Only offsets, of which the first is at 0, are outside length and CRC.
      damaged[8 + random() % 13] ^= std::byte{1} << (random() % 8);
      const auto set = MessageSet::parse(damaged);
      CHECK_FALSE(set);
    }
  }
}

TEST_CASE("records in a wrapper count from its offset", "[protocol]") {
  const auto inner = joined({{.offset = 0}, {.offset = 1}, {.offset = 4}});
  CHECK(offsets_of(wrapped(Codec::gzip, {.offset = 104}, inner)) ==
        std::vector<std::int64_t>{100, 101, 104});
  const auto absolute = joined({{.offset = 7, .magic = 0}, {.offset = 9, .magic = 0}});
  CHECK(offsets_of(wrapped(Codec::gzip, {.offset = 9, .magic = 0}, absolute)) ==
        std::vector<std::int64_t>{7, 9});
}

TEST_CASE("a wrapper that its client left at 0 holds offsets from 0 on", "[protocol]") {
  const auto inner = joined({{.offset = 0}, {.offset = 1}, {.offset = 2}});
  CHECK(offsets_of(wrapped(Codec::gzip, {.offset = 0}, inner)) ==
        std::vector<std::int64_t>{0, 1, 2});
  CHECK(refused(wrapped(Codec::gzip, {.offset = 1}, inner)).find("the last one in it") !=
        std::string::npos);
}

TEST_CASE("records that a client did not number get their numbers", "[protocol]") {
  for (const std::int8_t magic : {std::int8_t{0}, std::int8_t{1}}) {
    const RawRecord zero{.offset = 0, .magic = magic};
    const auto inner = joined({zero, zero, zero});
    CHECK(offsets_of(wrapped(Codec::gzip, {.offset = 2, .magic = magic}, inner)) ==
          std::vector<std::int64_t>{0, 1, 2});
  }
}

TEST_CASE("a wrapper's append time is that of its records", "[protocol]") {
  const auto inner = joined({{.offset = 0, .timestamp = 5}, {.offset = 1, .timestamp = 6}});
  const auto bytes = wrapped(Codec::gzip, {.offset = 1, .attributes = 8, .timestamp = 77}, inner);
  const auto set = MessageSet::parse(bytes);
  REQUIRE(set);
  for (const LegacyRecord& record : set->records()) {
    CHECK(record.timestamp == Timestamp{77});
    CHECK(record.timestamp_type == record::TimestampType::log_append_time);
  }
}

TEST_CASE("LZ4 frames are read with either checksum", "[protocol]") {
  // The vectors have the wrong one.
  for (const std::int8_t magic : {std::int8_t{0}, std::int8_t{1}}) {
    const auto inner = joined({{.offset = 0, .magic = magic}});
    CHECK(offsets_of(wrapped(Codec::lz4, {.magic = magic}, inner)).size() == 1);
  }
}

TEST_CASE("wrappers that make no sense are refused", "[protocol]") {
  const auto inner = joined({{.offset = 0}});
  const auto nested = wrapped(Codec::gzip, {}, wrapped(Codec::gzip, {}, inner));
  CHECK(refused(nested).find("holds another one") != std::string::npos);
  CHECK(refused(wrapped(Codec::gzip, {.magic = 0}, inner)).find("another magic") !=
        std::string::npos);
  CHECK(refused(wrapped(Codec::gzip, {}, {})).find("holds none") != std::string::npos);
  CHECK(refused(raw({.attributes = 1, .value = std::nullopt})).find("no value") !=
        std::string::npos);
  CHECK(refused(raw({.attributes = 4}), Errc::unsupported).find("codec 4") != std::string::npos);
  CHECK(refused(raw({.magic = 3})).find("magic 3") != std::string::npos);
}

TEST_CASE("what grows beyond the limit is refused", "[protocol]") {
  const std::string value(600'000, 'v');
  const auto inner = joined({{.offset = 0, .value = as_bytes(value)}});
  const auto once = wrapped(Codec::gzip, {}, inner);
  CHECK(MessageSet::parse(once, 1u << 20));
  auto twice = once;
  twice.insert(twice.end(), once.begin(), once.end());
  refused(twice);
}
