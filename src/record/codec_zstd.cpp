#if defined(MILLRACE_HAVE_ZSTD)
#include <zstd.h>

#include <memory>

#include "record/codecs.hpp"

namespace millrace::inline v0::record::detail {
namespace {

constexpr int default_level = 3;
/// The content size of a frame's header is believed up to this many times the input.
constexpr std::size_t believable_expansion = 64;

struct FreeContext {
  void operator()(ZSTD_DCtx* context) const noexcept { ZSTD_freeDCtx(context); }
};

Result<void> compress_zstd(int level, Bytes input, std::vector<std::byte>& out) {
  if (level == -1) level = default_level;
  if (level < ZSTD_minCLevel() || level > ZSTD_maxCLevel())
    return bad_level(Codec::zstd, level, ZSTD_minCLevel(), ZSTD_maxCLevel());
  const std::size_t start = out.size();
  out.resize(start + ZSTD_compressBound(input.size()));
  const std::size_t written =
      ZSTD_compress(out.data() + start, out.size() - start, input.data(), input.size(), level);
  if (ZSTD_isError(written) != 0)
    return compressor_failed(Codec::zstd, input.size(), ZSTD_getErrorName(written));
  out.resize(start + written);
  return {};
}

std::size_t expected_size(Bytes input) noexcept {
  const std::size_t believable = believable_expansion * input.size();
  const unsigned long long stated = ZSTD_getFrameContentSize(input.data(), input.size());
  // ZSTD_CONTENTSIZE_UNKNOWN and _ERROR are the two largest numbers.
  return stated <= believable ? static_cast<std::size_t>(stated) : 4 * input.size();
}

Fault decompress_zstd(Bytes input, BoundedOutput& out) {
  const std::unique_ptr<ZSTD_DCtx, FreeContext> context(ZSTD_createDCtx());
  if (context == nullptr) return "libzstd could not start";
  if (input.empty()) return cut_short;
  out.expect(expected_size(input));
  ZSTD_inBuffer from = {input.data(), input.size(), 0};
  for (;;) {
    const MutableBytes room = out.room();
    ZSTD_outBuffer to = {room.data(), room.size(), 0};
    const std::size_t before = from.pos;
    const std::size_t status = ZSTD_decompressStream(context.get(), &to, &from);
    if (ZSTD_isError(status) != 0) return "it is not a sound zstd frame";
    if (!out.take(to.pos)) return passes_limit;
    if (status == 0 && from.pos == from.size) return nullptr;
    if (from.pos == before && to.pos == 0) return cut_short;
  }
}

}  // namespace

const CodecFunctions zstd_codec = {compress_zstd, decompress_zstd};

}  // namespace millrace::inline v0::record::detail
#endif
