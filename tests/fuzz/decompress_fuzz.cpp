// The first byte chooses the codec, the rest is what it is given: first to read, then to write.
#include <cstdint>
#include <cstdlib>
#include <millrace/record/compression.hpp>
#include <vector>

using namespace millrace;
using namespace millrace::record;

namespace {

constexpr std::size_t limit_bytes = 1u << 20;

void require(bool promise) {
  if (!promise) std::abort();
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size == 0) return 0;
  const auto codec = static_cast<Codec>(data[0] % 8);
  const Bytes input(reinterpret_cast<const std::byte*>(data) + 1, size - 1);
  std::vector<std::byte> out;
  const auto result = decompress(codec, input, out, limit_bytes);
  if (result) require(out.size() <= limit_bytes);
  // One byte over the limit, then doubled at most by how vectors grow.
  require(out.capacity() <= 2 * limit_bytes + 2);

  if (!codec_available(codec)) return 0;
  std::vector<std::byte> packed;
  require(compress(codec, -1, input, packed).has_value());
  require(decompress(codec, packed, out, input.size()).has_value());
  require(std::vector<std::byte>(input.begin(), input.end()) == out);
  return 0;
}
