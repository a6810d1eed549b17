#include "os/system_call.hpp"

namespace millrace::inline v0::os {
namespace {

const char* remedy(int os_code) noexcept {
  switch (os_code) {
    case EIO:
      return "the disk failed; see the kernel log and check the disk before opening it again";
    case ENOENT:
      return "check the path";
    case ENOTDIR:
    case EISDIR:
      return "a file is where a directory should be, or the reverse; check the path";
    case EMFILE:
    case ENFILE:
      return "raise the limit on open files (ulimit -n)";
    case ENOMEM:
      return "free some memory, or raise vm.max_map_count and ulimit -v";
    case EFBIG:
      return "use smaller segments, or raise the limit on file size (ulimit -f)";
    case EFAULT:
    case EHWPOISON:
      return "the file was cut short, its disk is full or a sector is bad; see the kernel log";
    case ENAMETOOLONG:
      return "use a shorter name";
    default:
      return nullptr;
  }
}

}  // namespace

Error system_error(const std::string& doing, int os_code) {
  Error plain = Error::from_os(doing, os_code);
  const char* todo = remedy(os_code);
  if (todo == nullptr) return plain;
  return {plain.code(), plain.message() + "; " + todo, os_code};
}

}  // namespace millrace::inline v0::os
