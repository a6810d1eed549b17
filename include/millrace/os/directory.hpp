#pragma once
#include <memory>
#include <millrace/os/file.hpp>
#include <string>
#include <string_view>
#include <vector>

namespace millrace::inline v0::os {

enum class OpenMode : std::uint8_t {
  read_only,   ///< must exist
  read_write,  ///< must exist
  create,      ///< read-write; created empty if missing, kept as it is otherwise
  replace,     ///< read-write; emptied if it exists
};

/// An entry of a directory.
struct DirectoryEntry {
  std::string name;
  bool is_directory = false;
};

/// A lock that the kernel releases when its holder closes it or dies. Move-only.
class FileLock {
 public:
  FileLock() noexcept = default;
  explicit FileLock(File file) noexcept : file_(std::move(file)) {}
  bool is_held() const noexcept { return file_.is_open(); }

 private:
  File file_;
};

/// A place for files: on disk, or in memory (files that live until the last handle closes, with
/// the same calls and maps). Thread-safe. Names are plain, without slashes.
class Directory {
 public:
  virtual ~Directory() = default;

  virtual Result<File> open(std::string_view name, OpenMode mode) = 0;
  virtual Result<bool> exists(std::string_view name) const = 0;
  /// In no particular order, without "." and "..".
  virtual Result<std::vector<DirectoryEntry>> list() const = 0;
  /// Atomically replaces `to` if it exists.
  virtual Result<void> rename(std::string_view from, std::string_view to) = 0;
  /// Removes a file; success if it was not there.
  virtual Result<void> remove(std::string_view name) = 0;
  /// Makes creations, renames and removals so far durable.
  virtual Result<void> sync() = 0;
  /// Opens a directory below, creating it if `create`.
  virtual Result<std::shared_ptr<Directory>> subdirectory(std::string_view name, bool create) = 0;
  /// Removes a directory below with all it holds; success if it was not there.
  virtual Result<void> remove_tree(std::string_view name) = 0;
  /// Takes the exclusive lock on `name` (created if missing) and writes `holder` into it.
  /// directory_locked, with the holder's own words in the message, if somebody else has it.
  virtual Result<FileLock> lock(std::string_view name, std::string_view holder) = 0;
  /// For messages: the path given to open_directory, with the names below it.
  virtual const std::string& path() const noexcept = 0;
  virtual bool in_memory() const noexcept = 0;

  /// The content of a small file.
  Result<std::string> read_file(std::string_view name);
  /// Replaces a small file so that after a crash it has either the old or the new content, and the
  /// new one once this returns: writes `<name>.tmp`, syncs, renames, syncs the directory.
  Result<void> replace_file(std::string_view name, std::string_view content);
};

using DirectoryPtr = std::shared_ptr<Directory>;

/// Opens a directory on disk, creating it (and its parents) if `create`. `hooks` may be null; it
/// must outlive everything opened through the directory.
Result<DirectoryPtr> open_directory(std::string_view path, bool create, IoHooks* hooks = nullptr);

/// The lock of a directory for who only reads in it: like Directory::lock(), but where the lock
/// file cannot be written, because the file system or the file is read-only, the lock is taken
/// without a word in it. Not held, which is no error, if there is no such file either: nobody can
/// have it.
Result<FileLock> lock_for_reading(const DirectoryPtr& directory, std::string_view name,
                                  std::string_view holder);

/// A new empty directory in memory (memfd_create(2) per file).
DirectoryPtr make_memory_directory(IoHooks* hooks = nullptr);

}  // namespace millrace::inline v0::os
