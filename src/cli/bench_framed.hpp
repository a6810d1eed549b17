#pragma once
#include "bench_support.hpp"

namespace millrace::inline v0::cli::bench {

// What limits are made of: records as a header of 16 bytes (length, CRC-32C, sequence) and the
// payload, and the files that they go to.

constexpr std::size_t header_bytes = 16;
constexpr std::size_t file_bytes = 128u << 20;
constexpr std::size_t largest_value = 4096;
constexpr std::size_t small_piece = 4096;
constexpr std::size_t large_piece = 1u << 20;

/// CRC-32C by the kernel for short inputs, which the limit is defined with.
std::uint32_t checksum(const std::byte* data, std::size_t bytes);

/// Writes one record to `to`; bytes written.
inline std::size_t frame(std::byte* to, const std::byte* value, std::size_t bytes,
                         std::uint64_t sequence) {
  const auto length = static_cast<std::uint32_t>(bytes);
  std::memcpy(to, &length, sizeof length);
  std::memcpy(to + 8, &sequence, sizeof sequence);
  std::memcpy(to + header_bytes, value, bytes);
  const std::uint32_t crc = checksum(to + 8, bytes + 8);
  std::memcpy(to + 4, &crc, sizeof crc);
  return header_bytes + bytes;
}

/// A file of file_bytes whose blocks were written before, in pieces of `piece_bytes`, and its map,
/// populated or not.
class WrittenFile {
 public:
  WrittenFile(const std::string& path, std::size_t piece_bytes, bool populate);
  WrittenFile(const WrittenFile&) = delete;
  WrittenFile& operator=(const WrittenFile&) = delete;
  ~WrittenFile();

  std::byte* data() const { return data_; }
  void write(Bytes bytes, std::size_t position) const;
  void sync() const;
  /// msync() of the pages that [from, to) touches.
  void sync_map(std::size_t from, std::size_t to) const;

 private:
  int fd_ = -1;
  std::byte* data_ = nullptr;
};

}  // namespace millrace::inline v0::cli::bench
