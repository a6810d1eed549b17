#include <millrace/record/compression.hpp>
#include <random>

#include "campaign.hpp"
#include "catch.hpp"
#include "support/bytes.hpp"

using namespace millrace;
using namespace millrace::record;
using millrace::test::from_hex;

namespace {

constexpr std::array all_codecs = {Codec::none, Codec::gzip, Codec::snappy, Codec::lz4,
                                   Codec::zstd};
constexpr std::size_t no_limit = 1u << 30;

std::vector<Codec> built_in_compressors() {
  std::vector<Codec> codecs;
  for (const Codec codec : all_codecs)
    if (codec != Codec::none && codec_available(codec)) codecs.push_back(codec);
  return codecs;
}

std::vector<std::byte> random_bytes(std::size_t size, std::mt19937_64& random, unsigned values) {
  std::vector<std::byte> bytes(size);
  for (std::byte& b : bytes) b = static_cast<std::byte>(random() % values);
  return bytes;
}

std::vector<std::byte> compressed(Codec codec, Bytes input) {
  std::vector<std::byte> out;
  REQUIRE(compress(codec, -1, input, out));
  return out;
}

}  // namespace

TEST_CASE("codecs have Kafka's names", "[compression]") {
  for (const Codec codec : all_codecs) {
    const auto parsed = parse_codec(codec_name(codec));
    REQUIRE(parsed);
    CHECK(*parsed == codec);
  }
  const auto unknown = parse_codec("brotli");
  REQUIRE(!unknown);
  CHECK(unknown.error().code() == Errc::invalid_argument);
  CHECK(unknown.error().message().find("none, gzip, snappy, lz4, zstd") != std::string::npos);
  CHECK(!parse_codec(""));
  CHECK(codec_available(Codec::none));
  CHECK(!codec_available(static_cast<Codec>(7)));
}

TEST_CASE("a codec that is not built in is named with its library", "[compression]") {
  for (const Codec codec : all_codecs) {
    if (codec_available(codec)) continue;
    std::vector<std::byte> out;
    const auto result = compress(codec, -1, as_bytes("text"), out);
    REQUIRE(!result);
    CHECK(result.error().code() == Errc::unsupported);
    CHECK(result.error().message().find(codec_name(codec)) != std::string::npos);
    CHECK(decompress(codec, as_bytes("text"), out, no_limit).error().code() == Errc::unsupported);
  }
}

TEST_CASE("a codec number that Kafka does not have is refused", "[compression]") {
  std::vector<std::byte> out;
  const auto number_seven = static_cast<Codec>(7);
  CHECK(compress(number_seven, -1, as_bytes("text"), out).error().code() == Errc::invalid_argument);
  CHECK(decompress(number_seven, as_bytes("text"), out, no_limit).error().code() ==
        Errc::corrupt_data);
}

TEST_CASE("what is compressed comes back", "[compression]") {
  const std::uint64_t seed = millrace_test::campaign_seed(31);
  INFO("MILLRACE_SEED=" << seed);
  std::mt19937_64 random(seed);
  std::vector<std::byte> out;
  for (const Codec codec : all_codecs) {
    if (!codec_available(codec)) continue;
    INFO(codec_name(codec));
    for (const std::size_t size : {0u, 1u, 100u, 4095u, 32767u, 32768u, 32769u, 65536u, 300000u}) {
      INFO("size " << size);
      for (const unsigned values : {1u, 4u, 256u}) {
        const auto input = random_bytes(size, random, values);
        const auto packed = compressed(codec, input);
        REQUIRE(decompress(codec, packed, out, no_limit));
        REQUIRE(out == input);
      }
    }
  }
}

TEST_CASE("compress appends, decompress replaces", "[compression]") {
  const auto input = std::vector<std::byte>(5000, std::byte{'x'});
  for (const Codec codec : all_codecs) {
    if (!codec_available(codec)) continue;
    INFO(codec_name(codec));
    std::vector<std::byte> packed = from_hex("0102");
    REQUIRE(compress(codec, -1, input, packed));
    CHECK(packed[0] == std::byte{1});
    CHECK(packed[1] == std::byte{2});
    std::vector<std::byte> out(100000, std::byte{7});
    REQUIRE(decompress(codec, Bytes(packed).subspan(2), out, no_limit));
    CHECK(out == input);
  }
}

TEST_CASE("the limit on the decompressed size is exact", "[compression]") {
  const std::uint64_t seed = millrace_test::campaign_seed(32);
  INFO("MILLRACE_SEED=" << seed);
  std::mt19937_64 random(seed);
  std::vector<std::byte> out;
  for (const Codec codec : all_codecs) {
    if (!codec_available(codec)) continue;
    INFO(codec_name(codec));
    for (const std::size_t size : {1u, 4096u, 70000u}) {
      const auto packed = compressed(codec, random_bytes(size, random, 3));
      CHECK(decompress(codec, packed, out, size));
      const auto refused = decompress(codec, packed, out, size - 1);
      REQUIRE(!refused);
      CHECK(refused.error().code() == Errc::corrupt_data);
    }
  }
}

TEST_CASE("a bomb is stopped at the limit", "[compression]") {
  constexpr std::size_t limit = 1u << 20;
  const std::vector<std::byte> zeros(64u << 20, std::byte{0});
  for (const Codec codec : built_in_compressors()) {
    INFO(codec_name(codec));
    const auto packed = compressed(codec, zeros);
    std::vector<std::byte> out;
    const auto refused = decompress(codec, packed, out, limit);
    REQUIRE(!refused);
    CHECK(refused.error().code() == Errc::corrupt_data);
    CHECK(out.capacity() <= 2 * limit);
  }
}

TEST_CASE("cut input is refused at every length", "[compression]") {
  const std::uint64_t seed = millrace_test::campaign_seed(33);
  INFO("MILLRACE_SEED=" << seed);
  std::mt19937_64 random(seed);
  const auto input = random_bytes(700, random, 20);
  std::vector<std::byte> out;
  for (const Codec codec : built_in_compressors()) {
    INFO(codec_name(codec));
    const auto packed = compressed(codec, input);
    for (std::size_t size = 0; size < packed.size(); ++size) {
      INFO("size " << size);
      const auto result = decompress(codec, Bytes(packed).first(size), out, no_limit);
      // A snappy stream may end after any block, so also after none.
      if (codec == Codec::snappy && size == 16) {
        REQUIRE(result);
        REQUIRE(out.empty());
      } else {
        REQUIRE(!result);
        REQUIRE(result.error().code() == Errc::corrupt_data);
      }
    }
  }
}

TEST_CASE("damaged input never does harm", "[compression]") {
  const std::uint64_t seed = millrace_test::campaign_seed(34);
  INFO("MILLRACE_SEED=" << seed);
  std::mt19937_64 random(seed);
  const auto input = random_bytes(300, random, 8);
  for (const Codec codec : built_in_compressors()) {
    INFO(codec_name(codec));
    const auto packed = compressed(codec, input);
    for (std::size_t bit = 0; bit < 8 * packed.size(); ++bit) {
      auto damaged = packed;
      damaged[bit / 8] ^= static_cast<std::byte>(1u << (bit % 8));
      std::vector<std::byte> out;
      const auto result = decompress(codec, damaged, out, 100000);
      if (result)
        REQUIRE(out.size() <= 100000);
      else
        REQUIRE(result.error().code() == Errc::corrupt_data);
    }
  }
}

TEST_CASE("levels outside a codec's range are refused", "[compression]") {
  struct Case {
    Codec codec;
    int good;
    int bad;
  };
  for (const Case& one : {Case{Codec::gzip, 9, 10}, Case{Codec::lz4, 17, 18},
                          Case{Codec::lz4, 9, 0}, Case{Codec::zstd, 19, 1000}}) {
    if (!codec_available(one.codec)) continue;
    INFO(codec_name(one.codec));
    const std::vector<std::byte> input(2000, std::byte{'a'});
    std::vector<std::byte> packed, out;
    REQUIRE(compress(one.codec, one.good, input, packed));
    REQUIRE(decompress(one.codec, packed, out, no_limit));
    CHECK(out == input);
    CHECK(compress(one.codec, one.bad, input, packed).error().code() == Errc::invalid_argument);
  }
}

TEST_CASE("members and frames may follow one another", "[compression]") {
  for (const Codec codec : {Codec::gzip, Codec::lz4, Codec::zstd}) {
    if (!codec_available(codec)) continue;
    INFO(codec_name(codec));
    std::vector<std::byte> packed, out;
    REQUIRE(compress(codec, -1, as_bytes("first "), packed));
    REQUIRE(compress(codec, -1, as_bytes("second"), packed));
    REQUIRE(decompress(codec, packed, out, no_limit));
    CHECK(as_text(out) == "first second");
    packed.push_back(std::byte{0x55});
    CHECK(!decompress(codec, packed, out, no_limit));
  }
}

TEST_CASE("snappy streams have Java's frame, and raw blocks are read", "[compression]") {
  if (!codec_available(Codec::snappy)) return;
  const auto packed = compressed(Codec::snappy, as_bytes("hello"));
  CHECK(test::to_hex(packed) ==
        "82534e41505059000000000100000001"
        "00000007"
        "0510"
        "68656c6c6f");
  std::vector<std::byte> out;
  REQUIRE(decompress(Codec::snappy, from_hex("051068656c6c6f"), out, no_limit));
  CHECK(as_text(out) == "hello");
  // Lengths that lie: of a raw block, of a block in a stream, and a negative one.
  for (const char* lie :
       {"ffffffff0f1068656c6c6f", "82534e4150505900000000010000000100000008051068656c6c6f",
        "82534e41505059000000000100000001ffffffff051068656c6c6f"}) {
    INFO(lie);
    const auto refused = decompress(Codec::snappy, from_hex(lie), out, no_limit);
    REQUIRE(!refused);
    CHECK(refused.error().code() == Errc::corrupt_data);
  }
}

TEST_CASE("a zstd header's content size decides no allocation", "[compression]") {
  if (!codec_available(Codec::zstd)) return;
  // A single-segment frame that claims 2^40 bytes, then an empty last block.
  std::vector<std::byte> out;
  const auto refused =
      decompress(Codec::zstd, from_hex("28b52ffde00000000000010000010000"), out, no_limit);
  REQUIRE(!refused);
  CHECK(refused.error().code() == Errc::corrupt_data);
  CHECK(out.capacity() < 100000);
}
