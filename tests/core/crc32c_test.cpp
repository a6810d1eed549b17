#include <millrace/core/crc32c.hpp>
#include <random>

#include "campaign.hpp"
#include "catch.hpp"
#include "support/bytes.hpp"
#include "support/vectors.hpp"

using namespace millrace;
using nlohmann::json;

namespace {

/// The definition, one bit at a time.
std::uint32_t by_definition(Bytes data) {
  std::uint32_t crc = ~0u;
  for (std::byte b : data) {
    crc ^= std::to_integer<std::uint32_t>(b);
    for (int bit = 0; bit < 8; ++bit) crc = (crc & 1) != 0 ? (crc >> 1) ^ 0x82f63b78u : crc >> 1;
  }
  return ~crc;
}

std::vector<std::byte> random_bytes(std::size_t size, std::mt19937_64& random) {
  std::vector<std::byte> bytes(size);
  for (std::byte& b : bytes) b = static_cast<std::byte>(random());
  return bytes;
}

template <typename Check>
void for_each_usable_kernel(const Check& check) {
  for (const auto* variant = detail::crc32c_variants(); variant->name != nullptr; ++variant) {
    if (!variant->usable) continue;
    INFO(variant->name);
    check(variant->run);
  }
}

}  // namespace

TEST_CASE("crc32c gives the published values", "[crc32c]") {
  const json vectors = test::load_vectors("primitives.json").at("crc32c");
  REQUIRE(!vectors.empty());
  for (const json& vector : vectors) {
    const auto input = vector["input_utf8"].get<std::string>();
    CHECK(crc32c(as_bytes(input)) == vector["value"].get<std::uint32_t>());
    for_each_usable_kernel([&](detail::Crc32cKernel run) {
      CHECK(run(as_bytes(input).data(), input.size(), 0) == vector["value"].get<std::uint32_t>());
    });
  }
  // RFC 3720 appendix B.4.
  const std::vector<std::byte> zeros(32, std::byte{0}), ones(32, std::byte{0xff});
  CHECK(crc32c(zeros) == 0x8a9136aau);
  CHECK(crc32c(ones) == 0x62a8ab43u);
}

TEST_CASE("the portable kernel follows the definition", "[crc32c]") {
  const std::uint64_t seed = millrace_test::campaign_seed(20);
  INFO("MILLRACE_SEED=" << seed);
  std::mt19937_64 random(seed);
  for (std::size_t size = 0; size < 100; ++size) {
    const auto bytes = random_bytes(size, random);
    REQUIRE(detail::crc32c_variants()->run(bytes.data(), size, 0) == by_definition(bytes));
  }
}

TEST_CASE("every kernel agrees with the portable one", "[crc32c]") {
  const std::uint64_t seed = millrace_test::campaign_seed(20);
  INFO("MILLRACE_SEED=" << seed);
  std::mt19937_64 random(seed);
  const auto portable = detail::crc32c_variants()->run;
  const auto bytes = random_bytes(9000, random);
  int kernels = 0;
  for_each_usable_kernel([&](detail::Crc32cKernel run) {
    ++kernels;
    for (std::size_t alignment = 0; alignment < 64; ++alignment) {
      for (std::size_t size = 0; size <= 600; ++size) {
        const auto start = static_cast<std::uint32_t>(random());
        const std::byte* const at = bytes.data() + alignment;
        if (run(at, size, start) != portable(at, size, start))
          FAIL("size " << size << ", alignment " << alignment << ", start " << start);
      }
    }
    for (std::size_t size = 601; size < 8900; size += 1 + random() % 61) {
      INFO("size " << size);
      const auto alignment = random() % 64;
      const auto start = static_cast<std::uint32_t>(random());
      REQUIRE(run(bytes.data() + alignment, size, start) ==
              portable(bytes.data() + alignment, size, start));
    }
  });
  CHECK(kernels >= 1);
}

TEST_CASE("crc32c of a whole is the crc of its parts, continued", "[crc32c]") {
  const std::uint64_t seed = millrace_test::campaign_seed(20);
  INFO("MILLRACE_SEED=" << seed);
  std::mt19937_64 random(seed);
  for (int round = 0; round < 200; ++round) {
    const auto bytes = random_bytes(random() % 3000, random);
    const std::size_t cut = bytes.empty() ? 0 : random() % bytes.size();
    const Bytes whole(bytes);
    REQUIRE(crc32c(whole.subspan(cut), crc32c(whole.first(cut))) == crc32c(whole));
  }
}
