#include <millrace/record/compression.hpp>

#include <fmt/format.h>

#include <array>

namespace millrace::inline v0::record {
namespace {

constexpr std::array<std::string_view, 5> names = {"none", "gzip", "snappy", "lz4", "zstd"};

Error not_built_in(Codec codec) {
  return {Errc::unsupported,
          fmt::format("this build of millrace has no {0} codec; build it with the {0} library",
                      codec_name(codec))};
}

}  // namespace

bool codec_available(Codec codec) noexcept {
  return codec == Codec::none;
}

std::string_view codec_name(Codec codec) noexcept {
  const auto number = static_cast<std::size_t>(codec);
  return number < names.size() ? names[number] : "unknown";
}

Result<Codec> parse_codec(std::string_view name) {
  for (std::size_t i = 0; i < names.size(); ++i)
    if (names[i] == name) return static_cast<Codec>(i);
  return Error(Errc::invalid_argument,
               fmt::format("\"{}\" is no codec; use one of {}", name, fmt::join(names, ", ")));
}

Result<void> compress(Codec codec, int, Bytes input, std::vector<std::byte>& out) {
  if (codec != Codec::none) return not_built_in(codec);
  out.insert(out.end(), input.begin(), input.end());
  return {};
}

Result<void> decompress(Codec codec, Bytes input, std::vector<std::byte>& out, std::size_t) {
  if (codec != Codec::none) return not_built_in(codec);
  out.assign(input.begin(), input.end());
  return {};
}

}  // namespace millrace::inline v0::record
