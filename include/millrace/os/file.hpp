#pragma once
#include <array>
#include <cstdint>
#include <memory>
#include <millrace/core/bytes.hpp>
#include <millrace/core/result.hpp>
#include <string>

namespace millrace::inline v0::os {

class IoHooks;

/// Tells whether two openings saw the same file on the same mount in the same run of the machine:
/// only then did everything stored into the page cache survive a killed process. Plain data; all
/// zero is "unknown", which equals nothing.
struct FileIdentity {
  std::array<std::uint8_t, 16> boot_id{};  ///< /proc/sys/kernel/random/boot_id
  std::uint64_t device = 0;
  std::uint64_t inode = 0;
  std::uint64_t mount = 0;  ///< statx(2) stx_mnt_id

  bool known() const noexcept { return inode != 0; }
  friend bool operator==(const FileIdentity&, const FileIdentity&) = default;
};

/// An open file. Move-only; closes on destruction. Thread-safe for calls on disjoint ranges.
/// Every error names the path, the range and the remedy.
///
/// All calls report to the hooks, where size() and whatever else asks for metadata is IoOp::size.
class File {
 public:
  File() noexcept = default;
  /// Takes over `fd`. `path` is for messages; hooks are told the part of it behind `root_length`
  /// characters. `hooks` may be null and must outlive this.
  File(int fd, std::string path, IoHooks* hooks, std::size_t root_length = 0) noexcept;
  File(File&& other) noexcept;
  File& operator=(File&& other) noexcept;
  ~File();

  bool is_open() const noexcept { return fd_ >= 0; }
  int descriptor() const noexcept { return fd_; }
  const std::string& path() const noexcept { return path_; }
  IoHooks* hooks() const noexcept { return hooks_; }
  std::size_t root_length() const noexcept { return root_length_; }

  /// Writes all of `data` at `position`. On error some prefix may have been written.
  Result<void> write_at(Bytes data, std::uint64_t position);
  /// Reads up to `out.size()` bytes; fewer at the end of the file only.
  Result<std::size_t> read_at(MutableBytes out, std::uint64_t position) const;
  /// The whole content; corrupt_data if it is larger than `limit_bytes`.
  Result<std::string> read_all(std::uint64_t limit_bytes = 1u << 30) const;

  /// Reserves blocks for [position, position + length) and extends the size to cover them; bytes
  /// already there stay, new ones read as zero. After success a write into the range cannot fail
  /// for want of space (on file systems that do not copy on write). On error the size is as before.
  Result<void> reserve(std::uint64_t position, std::uint64_t length);
  /// Writes zeros over a range in pieces of `piece_bytes` (at most 1 MiB), which sets the size of
  /// the page-cache folios that later mapped stores dirty at a time.
  Result<void> write_zeros(std::uint64_t position, std::uint64_t length, std::size_t piece_bytes);
  /// Cuts or extends the file.
  Result<void> resize(std::uint64_t length);
  /// fdatasync(2).
  Result<void> sync();
  /// Drops clean cached pages, so that the next read comes from the disk (after a failed sync).
  Result<void> drop_cache();

  Result<std::uint64_t> size() const;
  /// Bytes of disk space allocated.
  Result<std::uint64_t> allocated_bytes() const;
  Result<FileIdentity> identity() const;
  /// Time of the last modification.
  Result<Timestamp> modified() const;

 private:
  int fd_ = -1;
  IoHooks* hooks_ = nullptr;
  std::string path_;
  std::size_t root_length_ = 0;
};

}  // namespace millrace::inline v0::os
