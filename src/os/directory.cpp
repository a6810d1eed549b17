#include <fmt/format.h>
#include <sys/file.h>

#include <millrace/os/directory.hpp>
#include <millrace/os/io_hooks.hpp>

#include "os/directory_names.hpp"
#include "os/system_call.hpp"

namespace millrace::inline v0::os {
namespace {

constexpr std::size_t longest_name = 255;
constexpr std::uint64_t longest_holder = 4096;

std::string holder_of(const File& file) {
  std::string holder = file.read_all(longest_holder).value_or(std::string{});
  while (!holder.empty() && (holder.back() == '\n' || holder.back() == ' ')) holder.pop_back();
  return holder;
}

Error locked_by_other(const File& file) {
  std::string holder = holder_of(file);
  if (holder.empty()) holder = "a process that did not write its name";
  return {
      Errc::directory_locked,
      fmt::format("locking {}: it is in use by {}; stop that process, or open the directory for "
                  "reading only",
                  file.path(), holder),
      EWOULDBLOCK};
}

/// Containers that share a directory may have processes of one number.
Error locked_by_namesake(const File& file) {
  return {
      Errc::directory_locked,
      fmt::format("locking {}: it is in use by {}, which is this process, or one of that number "
                  "in another container; close what has it open, or open the directory for "
                  "reading only",
                  file.path(), holder_of(file)),
      EWOULDBLOCK};
}

Result<void> write_replacement(Directory& directory, const std::string& temporary,
                               std::string_view name, std::string_view content) {
  MILLRACE_TRY(File file, directory.open(temporary, OpenMode::replace));
  MILLRACE_CHECK(file.write_at(as_bytes(content), 0));
  MILLRACE_CHECK(file.sync());
  return directory.rename(temporary, name);
}

}  // namespace

Result<void> check_name(std::string_view name, const std::string& directory) {
  const bool plain = !name.empty() && name != "." && name != ".." && name.size() <= longest_name &&
                     name.find('/') == std::string_view::npos &&
                     name.find('\0') == std::string_view::npos;
  if (plain) return {};
  return Error(Errc::invalid_argument,
               fmt::format("\"{}\" cannot name an entry of {}; use 1 to {} characters without a "
                           "slash, and not \".\" or \"..\"",
                           name, directory, longest_name));
}

Result<void> take_lock(File& file) {
  const int code =
      hooked(file.hooks(), {IoOp::lock, below_root(file.path(), file.root_length())},
             [&] { return ::flock(file.descriptor(), LOCK_EX | LOCK_NB) == 0 ? 0 : errno; });
  if (code == EWOULDBLOCK) return locked_by_other(file);
  if (code != 0) return system_error(fmt::format("locking {}", file.path()), code);
  return {};
}

Result<void> take_lock(File& file, std::string_view holder) {
  if (auto taken = take_lock(file); !taken) {
    const bool is_namesake =
        taken.error().code() == Errc::directory_locked && holder_of(file) == holder;
    return is_namesake ? Result<void>(locked_by_namesake(file)) : taken;
  }
  // The text only serves a message to others: a full disk must not keep the owner out. Written
  // before the cut, so that it fits into the block that is there.
  if (file.write_at(as_bytes(holder), 0)) static_cast<void>(file.resize(holder.size()));
  return {};
}

Result<FileLock> lock_for_reading(const DirectoryPtr& directory, std::string_view name,
                                  std::string_view holder) {
  auto lock = directory->lock(name, holder);
  if (lock || lock.error().code() != Errc::read_only) return lock;
  MILLRACE_TRY(const bool exists, directory->exists(name));
  if (!exists) return FileLock();
  MILLRACE_TRY(File file, directory->open(name, OpenMode::read_only));
  MILLRACE_CHECK(take_lock(file));
  return FileLock(std::move(file));
}

Result<std::string> Directory::read_file(std::string_view name) {
  MILLRACE_TRY(const File file, open(name, OpenMode::read_only));
  return file.read_all();
}

Result<void> Directory::replace_file(std::string_view name, std::string_view content) {
  const std::string temporary = std::string(name) + ".tmp";
  if (auto written = write_replacement(*this, temporary, name, content); !written) {
    static_cast<void>(remove(temporary));
    return written;
  }
  return sync();
}

}  // namespace millrace::inline v0::os
