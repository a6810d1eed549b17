#pragma once
#include <millrace/core/result.hpp>
#include <millrace/record/compression.hpp>
#include <string_view>
#include <vector>

/// The codecs behind compress() and decompress(), each in a file of its own.
namespace millrace::inline v0::record::detail {

/// What a decompressor writes to: grows as bytes arrive, so that no length field of the input
/// decides what is allocated, and never past the limit by more than one byte.
class BoundedOutput {
 public:
  /// Takes over what `bytes` has as room.
  BoundedOutput(std::vector<std::byte>& bytes, std::size_t limit) noexcept
      : bytes_(bytes), limit_(limit) {}

  /// Makes room() at least this large if the limit allows; for sizes that are known to be sane.
  void expect(std::size_t bytes);
  /// Where to write next, never empty. The one byte over the limit tells an output that ends there
  /// from one that goes on.
  MutableBytes room();
  /// Takes the first `bytes` of room(); false if they pass the limit.
  bool take(std::size_t bytes) noexcept;
  /// Cuts the vector to what was taken.
  void finish() { bytes_.resize(used_); }

  std::size_t limit() const noexcept { return limit_; }
  /// Bytes that may still come.
  std::size_t left() const noexcept { return limit_ - used_; }

 private:
  std::vector<std::byte>& bytes_;
  std::size_t limit_;
  std::size_t used_ = 0;
};

/// nullptr, or why the input is no good.
using Fault = const char*;
inline constexpr Fault passes_limit = "the output passes the limit";
inline constexpr Fault cut_short = "the input is cut short";

struct CodecFunctions {
  /// Appends to `out`. invalid_argument for a level that the codec does not have.
  Result<void> (*compress)(int level, Bytes input, std::vector<std::byte>& out);
  Fault (*decompress)(Bytes input, BoundedOutput& out);
};

extern const CodecFunctions gzip_codec;
extern const CodecFunctions snappy_codec;
extern const CodecFunctions lz4_codec;
extern const CodecFunctions zstd_codec;

/// For a compress() that was given a level outside [least, greatest].
Error bad_level(Codec codec, int level, int least, int greatest);
/// For a compressor library that refuses to go on, e.g. for want of memory.
Error compressor_failed(Codec codec, std::size_t input_bytes, std::string_view why);

}  // namespace millrace::inline v0::record::detail
