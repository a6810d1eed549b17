#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <limits>
#include <millrace/record/compression.hpp>

#include "record/codecs.hpp"

namespace millrace::inline v0::record {
namespace {

constexpr std::size_t smallest_growth = 4096;
/// A batch's length is a signed 32-bit number.
constexpr std::size_t largest_input = std::numeric_limits<std::int32_t>::max();

struct CodecEntry {
  std::string_view name;
  std::string_view library;
  const detail::CodecFunctions* functions;
};

#if defined(MILLRACE_HAVE_GZIP)
constexpr const detail::CodecFunctions* gzip = &detail::gzip_codec;
#else
constexpr const detail::CodecFunctions* gzip = nullptr;
#endif
#if defined(MILLRACE_HAVE_SNAPPY)
constexpr const detail::CodecFunctions* snappy = &detail::snappy_codec;
#else
constexpr const detail::CodecFunctions* snappy = nullptr;
#endif
#if defined(MILLRACE_HAVE_LZ4)
constexpr const detail::CodecFunctions* lz4 = &detail::lz4_codec;
#else
constexpr const detail::CodecFunctions* lz4 = nullptr;
#endif
#if defined(MILLRACE_HAVE_ZSTD)
constexpr const detail::CodecFunctions* zstd = &detail::zstd_codec;
#else
constexpr const detail::CodecFunctions* zstd = nullptr;
#endif

constexpr std::array<CodecEntry, 5> codecs = {{{"none", "", nullptr},
                                               {"gzip", "zlib", gzip},
                                               {"snappy", "libsnappy", snappy},
                                               {"lz4", "liblz4", lz4},
                                               {"zstd", "libzstd", zstd}}};

const CodecEntry* find_codec(Codec codec) noexcept {
  const auto number = static_cast<std::size_t>(codec);
  return number < codecs.size() ? &codecs[number] : nullptr;
}

Error not_built_in(const CodecEntry& entry) {
  return {Errc::unsupported,
          fmt::format("using {} compression: this build of millrace lacks it; build it where {} is "
                      "installed, or choose another codec",
                      entry.name, entry.library)};
}

Error corrupt(std::string_view codec, std::size_t input_bytes, std::string_view why) {
  return {Errc::corrupt_data,
          fmt::format("decompressing {} bytes of {}: {}; the data is damaged or was written by an "
                      "incompatible producer",
                      input_bytes, codec, why)};
}

}  // namespace

namespace detail {

void BoundedOutput::expect(std::size_t bytes) {
  const std::size_t wanted = used_ + std::min(bytes, left());
  if (bytes_.size() < wanted) bytes_.resize(wanted);
}

MutableBytes BoundedOutput::room() {
  if (used_ == bytes_.size()) {
    const std::size_t over = limit_ < std::numeric_limits<std::size_t>::max() ? 1 : 0;
    bytes_.resize(std::min(limit_ + over, std::max(smallest_growth, 2 * used_)));
  }
  return MutableBytes(bytes_).subspan(used_);
}

bool BoundedOutput::take(std::size_t bytes) noexcept {
  if (bytes > left()) return false;
  used_ += bytes;
  return true;
}

Error bad_level(Codec codec, int level, int least, int greatest) {
  return {Errc::invalid_argument,
          fmt::format("compressing with {} at level {}: its levels are {} to {}, and -1 for the "
                      "default",
                      codec_name(codec), level, least, greatest)};
}

Error compressor_failed(Codec codec, std::size_t input_bytes, std::string_view why) {
  return {Errc::io_error, fmt::format("compressing {} bytes with {}: {}; free some memory or "
                                      "choose another codec",
                                      input_bytes, codec_name(codec), why)};
}

}  // namespace detail

bool codec_available(Codec codec) noexcept {
  const CodecEntry* entry = find_codec(codec);
  return codec == Codec::none || (entry != nullptr && entry->functions != nullptr);
}

std::string_view codec_name(Codec codec) noexcept {
  const CodecEntry* entry = find_codec(codec);
  return entry != nullptr ? entry->name : "unknown";
}

Result<Codec> parse_codec(std::string_view name) {
  for (std::size_t number = 0; number < codecs.size(); ++number)
    if (codecs[number].name == name) return static_cast<Codec>(number);
  return Error(Errc::invalid_argument,
               fmt::format("reading \"{}\" as the name of a codec: use one of none, gzip, snappy, "
                           "lz4, zstd",
                           name));
}

Result<void> compress(Codec codec, int level, Bytes input, std::vector<std::byte>& out) {
  if (codec == Codec::none) {
    out.insert(out.end(), input.begin(), input.end());
    return {};
  }
  const CodecEntry* entry = find_codec(codec);
  if (entry == nullptr) {
    return Error(Errc::invalid_argument,
                 fmt::format("compressing with codec number {}: Kafka's numbers are 0 to 4",
                             static_cast<int>(codec)));
  }
  if (entry->functions == nullptr) return not_built_in(*entry);
  if (input.size() > largest_input) {
    return Error(
        Errc::invalid_record,
        fmt::format("compressing {} bytes: a batch holds less than 2 GiB; split it", input.size()));
  }
  return entry->functions->compress(level, input, out);
}

Result<void> decompress(Codec codec, Bytes input, std::vector<std::byte>& out,
                        std::size_t limit_bytes) {
  const CodecEntry* entry = find_codec(codec);
  if (entry == nullptr) return corrupt("an unknown codec", input.size(), "no such codec");
  if (input.size() > largest_input)
    return corrupt(entry->name, input.size(), "a batch holds less than 2 GiB");
  if (codec == Codec::none) {
    if (input.size() > limit_bytes) return corrupt("none", input.size(), detail::passes_limit);
    out.assign(input.begin(), input.end());
    return {};
  }
  if (entry->functions == nullptr) return not_built_in(*entry);
  detail::BoundedOutput output(out, limit_bytes);
  const detail::Fault fault = entry->functions->decompress(input, output);
  if (fault != nullptr) return corrupt(entry->name, input.size(), fault);
  output.finish();
  return {};
}

}  // namespace millrace::inline v0::record
