#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <millrace/os/file.hpp>

#include "os/system_call.hpp"

namespace millrace::inline v0::os {
namespace {

using BootId = std::array<std::uint8_t, 16>;

int hex_digit(char c) noexcept {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  return -1;
}

// All zero if there is none.
BootId read_boot_id() noexcept {
  char text[64];
  const int fd = ::open("/proc/sys/kernel/random/boot_id", O_RDONLY | O_CLOEXEC);
  if (fd < 0) return {};
  const ssize_t got = retry_interrupted([&] { return ::read(fd, text, sizeof text); });
  ::close(fd);
  BootId id{};
  std::size_t digits = 0;
  for (ssize_t i = 0; i < got && digits < 2 * id.size(); ++i) {
    const int digit = hex_digit(text[i]);
    if (digit < 0) continue;
    auto& byte = id[digits++ / 2];
    byte = static_cast<std::uint8_t>(byte << 4 | digit);
  }
  return digits == 2 * id.size() ? id : BootId{};
}

const BootId& boot_id() noexcept {
  static const BootId id = read_boot_id();
  return id;
}

}  // namespace

Result<FileIdentity> File::identity() const {
  struct statx found {};
  const int code = hooked(hooks_, {IoOp::size, below_root(path_, root_length_)}, [&] {
    return ::statx(fd_, "", AT_EMPTY_PATH, STATX_INO | STATX_MNT_ID, &found) == 0 ? 0 : errno;
  });
  if (code != 0) return system_error(fmt::format("asking for the identity of {}", path_), code);
  // Without all of its parts an identity could equal one that is not the same.
  if ((found.stx_mask & STATX_MNT_ID) == 0 || boot_id() == BootId{}) return FileIdentity{};
  return FileIdentity{boot_id(), std::uint64_t{found.stx_dev_major} << 32 | found.stx_dev_minor,
                      found.stx_ino, found.stx_mnt_id};
}

}  // namespace millrace::inline v0::os
