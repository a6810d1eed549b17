#include <array>
#include <millrace/core/varint.hpp>
#include <random>

#include "campaign.hpp"
#include "catch.hpp"
#include "support/bytes.hpp"
#include "support/vectors.hpp"

using namespace millrace;
using millrace::test::from_hex;
using millrace::test::to_hex;
using nlohmann::json;

namespace {

std::string encoded(std::uint64_t value) {
  std::array<std::byte, 10> room{};
  const std::byte* const end = encode_varint(room.data(), value);
  return to_hex(Bytes(room.data(), end));
}

template <std::size_t MaxBytes>
void check_both_ways(const std::string& hex, std::uint64_t value) {
  INFO(hex);
  CHECK(encoded(value) == hex);
  CHECK(varint_size(value) == hex.size() / 2);
  const auto bytes = from_hex(hex);
  for (std::size_t size = 0; size < bytes.size(); ++size) {
    const std::vector<std::byte> cut(bytes.begin(),
                                     bytes.begin() + static_cast<std::ptrdiff_t>(size));
    std::uint64_t read = 0;
    CHECK(decode_varint<MaxBytes>(cut.data(), cut.data() + size, read) == nullptr);
  }
  std::uint64_t read = ~value;
  CHECK(decode_varint<MaxBytes>(bytes.data(), bytes.data() + bytes.size(), read) ==
        bytes.data() + bytes.size());
  CHECK(read == value);
}

template <std::size_t MaxBytes>
bool refused(const std::string& hex) {
  const auto bytes = from_hex(hex);
  std::uint64_t value = 0;
  return decode_varint<MaxBytes>(bytes.data(), bytes.data() + bytes.size(), value) == nullptr;
}

}  // namespace

TEST_CASE("varints have the published bytes", "[varint]") {
  const json vectors = test::load_vectors("primitives.json");
  for (const json& one : vectors.at("unsigned_varint"))
    check_both_ways<5>(one["hex"].get<std::string>(), one["value"].get<std::uint64_t>());
  for (const json& one : vectors.at("varint_zigzag32"))
    check_both_ways<5>(one["hex"].get<std::string>(), zigzag(one["value"].get<std::int64_t>()));
  for (const json& one : vectors.at("varlong_zigzag64"))
    check_both_ways<10>(one["hex"].get<std::string>(), zigzag(one["value"].get<std::int64_t>()));
}

TEST_CASE("zigzag numbers are read with their sign", "[varint]") {
  const json vectors = test::load_vectors("primitives.json");
  for (const json& one : vectors.at("varlong_zigzag64")) {
    const auto bytes = from_hex(one["hex"].get<std::string>());
    std::int64_t value = 0;
    REQUIRE(decode_zigzag<10>(bytes.data(), bytes.data() + bytes.size(), value) != nullptr);
    CHECK(value == one["value"].get<std::int64_t>());
    CHECK(unzigzag(zigzag(value)) == value);
  }
}

TEST_CASE("numbers that are too long or too large are refused", "[varint]") {
  CHECK(!refused<5>("ffffffff0f"));
  CHECK(refused<5>("ffffffff1f"));
  CHECK(refused<5>("8080808010"));
  CHECK(refused<5>("808080808000"));
  CHECK(refused<5>("ffffffffff"));
  CHECK(!refused<10>("ffffffffffffffffff01"));
  CHECK(refused<10>("ffffffffffffffffff02"));
  CHECK(refused<10>("8080808080808080808000"));
  CHECK(refused<10>(""));
  CHECK(refused<10>("80"));
}

TEST_CASE("longer forms than needed are read, as Kafka reads them", "[varint]") {
  const auto bytes = from_hex("8100");
  std::uint64_t value = 0;
  CHECK(decode_varint<5>(bytes.data(), bytes.data() + 2, value) == bytes.data() + 2);
  CHECK(value == 1);
}

TEST_CASE("random numbers go both ways", "[varint]") {
  const std::uint64_t seed = millrace_test::campaign_seed(10);
  INFO("MILLRACE_SEED=" << seed);
  std::mt19937_64 random(seed);
  for (int i = 0; i < 100'000; ++i) {
    const std::uint64_t value = random() >> (random() % 64);
    std::array<std::byte, 10> room{};
    const std::byte* const end = encode_varint(room.data(), value);
    REQUIRE(static_cast<std::size_t>(end - room.data()) == varint_size(value));
    std::uint64_t read = 0;
    REQUIRE(decode_varint<10>(room.data(), end, read) == end);
    REQUIRE(read == value);
    const bool fits = value <= 0xffffffffu;
    REQUIRE((decode_varint<5>(room.data(), end, read) == end) == fits);
  }
}
