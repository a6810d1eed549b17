#if defined(MILLRACE_HAVE_GZIP)
#include <zlib.h>

#include <algorithm>
#include <limits>

#include "record/codecs.hpp"

namespace millrace::inline v0::record::detail {
namespace {

constexpr int window_bits = 15;
constexpr int gzip_wrapper = 16;

unsigned char* as_zlib(const std::byte* from) noexcept {
  // zlib's next_in is not const unless asked for with a macro; it is only read.
  return const_cast<unsigned char*>(reinterpret_cast<const unsigned char*>(from));
}

unsigned clamp_to_unsigned(std::size_t bytes) noexcept {
  return static_cast<unsigned>(std::min<std::size_t>(bytes, std::numeric_limits<unsigned>::max()));
}

class Deflater {
 public:
  explicit Deflater(int level) noexcept
      : ready_(deflateInit2(&stream, level, Z_DEFLATED, window_bits + gzip_wrapper,
                            MAX_MEM_LEVEL - 1, Z_DEFAULT_STRATEGY) == Z_OK) {}
  ~Deflater() { deflateEnd(&stream); }
  Deflater(const Deflater&) = delete;
  Deflater& operator=(const Deflater&) = delete;
  bool ready() const noexcept { return ready_; }
  z_stream stream{};

 private:
  bool ready_;
};

class Inflater {
 public:
  Inflater() noexcept : ready_(inflateInit2(&stream, window_bits + gzip_wrapper) == Z_OK) {}
  ~Inflater() { inflateEnd(&stream); }
  Inflater(const Inflater&) = delete;
  Inflater& operator=(const Inflater&) = delete;
  bool ready() const noexcept { return ready_; }
  z_stream stream{};

 private:
  bool ready_;
};

Result<void> compress_gzip(int level, Bytes input, std::vector<std::byte>& out) {
  if (level < Z_DEFAULT_COMPRESSION || level > Z_BEST_COMPRESSION)
    return bad_level(Codec::gzip, level, Z_NO_COMPRESSION, Z_BEST_COMPRESSION);
  Deflater deflater(level);
  if (!deflater.ready()) return compressor_failed(Codec::gzip, input.size(), "no memory");
  z_stream& stream = deflater.stream;
  const std::size_t start = out.size();
  out.resize(start + deflateBound(&stream, input.size()));
  stream.next_in = as_zlib(input.data());
  stream.avail_in = clamp_to_unsigned(input.size());
  stream.next_out = as_zlib(out.data() + start);
  stream.avail_out = clamp_to_unsigned(out.size() - start);
  if (deflate(&stream, Z_FINISH) != Z_STREAM_END)
    return compressor_failed(Codec::gzip, input.size(), "zlib could not finish");
  out.resize(start + stream.total_out);
  return {};
}

Fault decompress_gzip(Bytes input, BoundedOutput& out) {
  Inflater inflater;
  if (!inflater.ready()) return "zlib could not start";
  z_stream& stream = inflater.stream;
  stream.next_in = as_zlib(input.data());
  stream.avail_in = clamp_to_unsigned(input.size());
  out.expect(3 * input.size());
  for (;;) {
    const MutableBytes room = out.room();
    stream.next_out = as_zlib(room.data());
    stream.avail_out = clamp_to_unsigned(room.size());
    const unsigned offered = stream.avail_out;
    const int status = inflate(&stream, Z_NO_FLUSH);
    if (!out.take(offered - stream.avail_out)) return passes_limit;
    if (status == Z_STREAM_END) {
      if (stream.avail_in == 0) return nullptr;
      // RFC 1952 lets members follow one another.
      if (inflateReset(&stream) != Z_OK) return "zlib could not go on";
    } else if (status == Z_BUF_ERROR || (status == Z_OK && stream.avail_out != 0)) {
      return cut_short;
    } else if (status != Z_OK) {
      return "it is not a sound gzip member";
    }
  }
}

}  // namespace

const CodecFunctions gzip_codec = {compress_gzip, decompress_gzip};

}  // namespace millrace::inline v0::record::detail
#endif
