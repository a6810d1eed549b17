#pragma once
#include <cstddef>
#include <cstdint>
#include <string_view>

namespace millrace::inline v0::os {

/// Every kind of system call on files that the store makes.
// clang-format off
enum class IoOp : std::uint8_t {
  open, create, read, write, reserve, resize, sync_data, sync_range, sync_directory,
  rename, remove, list, create_directory, map, populate, lock, size, drop_cache,
};
// clang-format on

/// The name of the enumerator, e.g. "sync_data".
std::string_view name_of(IoOp op) noexcept;

/// One call about to be made: the path relative to the root directory, and the byte range.
struct IoCall {
  IoOp op;
  std::string_view path;
  std::uint64_t position = 0;
  std::uint64_t length = 0;
  std::string_view new_path = {};  ///< rename: the target
};

/// Watches and upsets the store's system calls; for tests (ours and users'). Handed to
/// open_directory(); every file and directory below reports here. Calls may come from any thread.
class IoHooks {
 public:
  virtual ~IoHooks() = default;
  /// Before a call. Return 0 to let it happen, an errno value to make it fail without happening.
  virtual int before(const IoCall& call) noexcept { return static_cast<void>(call), 0; }
  /// How many bytes of a write of `call.length` bytes may reach the file before it fails with
  /// `os_code`; asked only when before() returned an error for a write.
  virtual std::size_t short_write(const IoCall& call) noexcept {
    return static_cast<void>(call), 0;
  }
  /// After a call that succeeded.
  virtual void after(const IoCall& call) noexcept { static_cast<void>(call); }
  /// After a call that failed, be it for the system or because before() said so.
  virtual void failed(const IoCall& call, int os_code) noexcept {
    static_cast<void>(call), static_cast<void>(os_code);
  }
};

}  // namespace millrace::inline v0::os
