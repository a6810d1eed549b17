#if defined(MILLRACE_HAVE_LZ4)
#include <lz4frame.h>

#include <algorithm>
#include <memory>

#include "record/codecs.hpp"

namespace millrace::inline v0::record::detail {
namespace {

/// Kafka's range; liblz4 takes levels above 12 for 12.
constexpr int least_level = 1;
constexpr int greatest_level = 17;

struct FreeContext {
  void operator()(LZ4F_dctx* context) const noexcept { LZ4F_freeDecompressionContext(context); }
};

Result<void> compress_lz4(int level, Bytes input, std::vector<std::byte>& out) {
  if (level != -1 && (level < least_level || level > greatest_level))
    return bad_level(Codec::lz4, level, least_level, greatest_level);
  LZ4F_preferences_t preferences = LZ4F_INIT_PREFERENCES;
  preferences.frameInfo.blockMode = LZ4F_blockIndependent;
  preferences.frameInfo.blockSizeID = LZ4F_max64KB;
  preferences.compressionLevel = std::max(level, 0);
  const std::size_t start = out.size();
  out.resize(start + LZ4F_compressFrameBound(input.size(), &preferences));
  const std::size_t written = LZ4F_compressFrame(out.data() + start, out.size() - start,
                                                 input.data(), input.size(), &preferences);
  if (LZ4F_isError(written) != 0)
    return compressor_failed(Codec::lz4, input.size(), LZ4F_getErrorName(written));
  out.resize(start + written);
  return {};
}

Fault decompress_lz4(Bytes input, BoundedOutput& out) {
  LZ4F_dctx* raw = nullptr;
  if (LZ4F_isError(LZ4F_createDecompressionContext(&raw, LZ4F_VERSION)) != 0)
    return "liblz4 could not start";
  const std::unique_ptr<LZ4F_dctx, FreeContext> context(raw);
  if (input.empty()) return cut_short;
  out.expect(4 * input.size());
  for (;;) {
    const MutableBytes room = out.room();
    std::size_t written = room.size();
    std::size_t read = input.size();
    const std::size_t status =
        LZ4F_decompress(context.get(), room.data(), &written, input.data(), &read, nullptr);
    if (LZ4F_isError(status) != 0) return "it is not a sound LZ4 frame";
    if (!out.take(written)) return passes_limit;
    input = input.subspan(read);
    if (status == 0 && input.empty()) return nullptr;
    if (read == 0 && written == 0) return cut_short;
  }
}

}  // namespace

const CodecFunctions lz4_codec = {compress_lz4, decompress_lz4};

}  // namespace millrace::inline v0::record::detail
#endif
