#include <dirent.h>
#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <utility>

#include <millrace/os/directory.hpp>
#include <millrace/os/io_hooks.hpp>

#include "os/directory_names.hpp"
#include "os/system_call.hpp"

namespace millrace::inline v0::os {
namespace {

constexpr mode_t file_mode = 0644;
constexpr mode_t directory_mode = 0755;
constexpr int directory_flags = O_RDONLY | O_DIRECTORY | O_CLOEXEC;

class DiskDirectory final : public Directory {
 public:
  DiskDirectory(int fd, std::string path, std::size_t root_length, IoHooks* hooks)
      : fd_(fd), path_(std::move(path)), root_length_(root_length), hooks_(hooks) {}
  ~DiskDirectory() override { ::close(fd_); }
  DiskDirectory(const DiskDirectory&) = delete;
  DiskDirectory& operator=(const DiskDirectory&) = delete;

  Result<File> open(std::string_view name, OpenMode mode) override;
  Result<bool> exists(std::string_view name) const override;
  Result<std::vector<DirectoryEntry>> list() const override;
  Result<void> rename(std::string_view from, std::string_view to) override;
  Result<void> remove(std::string_view name) override { return unlink(name, 0); }
  Result<void> sync() override;
  Result<std::shared_ptr<Directory>> subdirectory(std::string_view name, bool create) override;
  Result<void> remove_tree(std::string_view name) override;
  Result<FileLock> lock(std::string_view name, std::string_view holder) override;
  const std::string& path() const noexcept override { return path_; }
  bool in_memory() const noexcept override { return false; }

 private:
  std::string path_of(std::string_view name) const { return fmt::format("{}/{}", path_, name); }
  std::string_view below(const std::string& path) const { return below_root(path, root_length_); }
  Result<void> unlink(std::string_view name, int flags);
  /// The file type bits of an entry, 0 if there is none.
  Result<mode_t> type_of(std::string_view name) const;

  int fd_;
  std::string path_;
  std::size_t root_length_;
  IoHooks* hooks_;
};

Result<mode_t> DiskDirectory::type_of(std::string_view name) const {
  const std::string full = path_of(name);
  struct stat found {};
  const int code = hooked(hooks_, {IoOp::size, below(full)}, [&] {
    const std::string plain(name);
    const int failed =
        code_of([&] { return ::fstatat(fd_, plain.c_str(), &found, AT_SYMLINK_NOFOLLOW); });
    return failed == ENOENT ? 0 : failed;
  });
  if (code != 0) return system_error(fmt::format("looking for {}", full), code);
  return found.st_mode & S_IFMT;
}

Result<File> DiskDirectory::open(std::string_view name, OpenMode mode) {
  MILLRACE_CHECK(check_name(name, path_));
  bool missing = false;
  if (mode == OpenMode::create || mode == OpenMode::replace) {
    MILLRACE_TRY(const mode_t type, type_of(name));
    missing = type == 0;
  }
  std::string full = path_of(name);
  int flags = O_CLOEXEC | (mode == OpenMode::read_only ? O_RDONLY : O_RDWR);
  if (missing) flags |= O_CREAT;
  int fd = -1;
  const int code = hooked(hooks_, {missing ? IoOp::create : IoOp::open, below(full)}, [&] {
    const std::string plain(name);
    fd = retry_interrupted([&] { return ::openat(fd_, plain.c_str(), flags, file_mode); });
    return fd < 0 ? errno : 0;
  });
  if (code != 0)
    return system_error(fmt::format("{} {}", missing ? "creating" : "opening", full), code);
  File file(fd, std::move(full), hooks_, root_length_);
  if (mode == OpenMode::replace && !missing) MILLRACE_CHECK(file.resize(0));
  return file;
}

Result<bool> DiskDirectory::exists(std::string_view name) const {
  MILLRACE_CHECK(check_name(name, path_));
  MILLRACE_TRY(const mode_t type, type_of(name));
  return type != 0;
}

Result<std::vector<DirectoryEntry>> DiskDirectory::list() const {
  std::vector<DirectoryEntry> entries;
  const int code = hooked(hooks_, {IoOp::list, below(path_)}, [&] {
    const int copy = retry_interrupted([&] { return ::openat(fd_, ".", directory_flags); });
    if (copy < 0) return errno;
    DIR* stream = ::fdopendir(copy);
    if (stream == nullptr) {
      const int failed = errno;
      ::close(copy);
      return failed;
    }
    errno = 0;
    while (const dirent* entry = ::readdir(stream)) {
      const std::string_view name = entry->d_name;
      bool is_directory = entry->d_type == DT_DIR;
      struct stat found {};
      if (entry->d_type == DT_UNKNOWN &&
          ::fstatat(fd_, entry->d_name, &found, AT_SYMLINK_NOFOLLOW) == 0)
        is_directory = S_ISDIR(found.st_mode);
      if (name != "." && name != "..") entries.push_back({std::string(name), is_directory});
      errno = 0;
    }
    const int failed = errno;
    ::closedir(stream);
    return failed;
  });
  if (code != 0) return system_error(fmt::format("listing {}", path_), code);
  return entries;
}

Result<void> DiskDirectory::rename(std::string_view from, std::string_view to) {
  MILLRACE_CHECK(check_name(from, path_));
  MILLRACE_CHECK(check_name(to, path_));
  const std::string old_path = path_of(from);
  const std::string new_path = path_of(to);
  const int code = hooked(hooks_, {IoOp::rename, below(old_path), 0, 0, below(new_path)}, [&] {
    const std::string old_name(from), new_name(to);
    return code_of([&] { return ::renameat(fd_, old_name.c_str(), fd_, new_name.c_str()); });
  });
  if (code != 0) return system_error(fmt::format("renaming {} to {}", old_path, to), code);
  return {};
}

Result<void> DiskDirectory::unlink(std::string_view name, int flags) {
  MILLRACE_CHECK(check_name(name, path_));
  const std::string full = path_of(name);
  const int code = hooked(hooks_, {IoOp::remove, below(full)}, [&] {
    const std::string plain(name);
    return code_of([&] { return ::unlinkat(fd_, plain.c_str(), flags); });
  });
  if (code != 0 && code != ENOENT) return system_error(fmt::format("removing {}", full), code);
  return {};
}

Result<void> DiskDirectory::sync() {
  const int code = hooked(hooks_, {IoOp::sync_directory, below(path_)},
                          [&] { return ::fsync(fd_) == 0 ? 0 : errno; });
  if (code != 0) return system_error(fmt::format("syncing directory {} to the disk", path_), code);
  return {};
}

Result<std::shared_ptr<Directory>> DiskDirectory::subdirectory(std::string_view name, bool create) {
  MILLRACE_CHECK(check_name(name, path_));
  std::string full = path_of(name);
  const std::string plain(name);
  if (create) {
    MILLRACE_TRY(const mode_t type, type_of(name));
    const IoCall call{IoOp::create_directory, below(full)};
    const int code = type != 0 ? 0 : hooked(hooks_, call, [&] {
      const int failed = code_of([&] { return ::mkdirat(fd_, plain.c_str(), directory_mode); });
      return failed == EEXIST ? 0 : failed;
    });
    if (code != 0) return system_error(fmt::format("creating directory {}", full), code);
  }
  int fd = -1;
  const int code = hooked(hooks_, {IoOp::open, below(full)}, [&] {
    fd = retry_interrupted([&] { return ::openat(fd_, plain.c_str(), directory_flags); });
    return fd < 0 ? errno : 0;
  });
  if (code != 0) return system_error(fmt::format("opening directory {}", full), code);
  return std::shared_ptr<Directory>(
      std::make_shared<DiskDirectory>(fd, std::move(full), root_length_, hooks_));
}

Result<void> DiskDirectory::remove_tree(std::string_view name) {
  MILLRACE_CHECK(check_name(name, path_));
  MILLRACE_TRY(const mode_t type, type_of(name));
  if (type == 0) return {};
  if (!S_ISDIR(type)) return unlink(name, 0);
  {
    MILLRACE_TRY(const auto below_it, subdirectory(name, false));
    MILLRACE_TRY(const auto entries, below_it->list());
    for (const auto& entry : entries)
      MILLRACE_CHECK(entry.is_directory ? below_it->remove_tree(entry.name)
                                        : below_it->remove(entry.name));
  }
  return unlink(name, AT_REMOVEDIR);
}

Result<FileLock> DiskDirectory::lock(std::string_view name, std::string_view holder) {
  MILLRACE_TRY(File file, open(name, OpenMode::create));
  MILLRACE_CHECK(take_lock(file, holder));
  return FileLock(std::move(file));
}

int sync_directory_at(const std::string& path) {
  const int fd = retry_interrupted([&] { return ::open(path.c_str(), directory_flags); });
  if (fd < 0) return errno;
  const int code = ::fsync(fd) == 0 ? 0 : errno;
  ::close(fd);
  return code;
}

// Creates whatever is missing of `path`, each durably in its parent.
int create_directories(const std::string& path) {
  for (std::size_t end = 0; end != std::string::npos;) {
    end = path.find('/', end + 1);
    const std::string prefix = path.substr(0, end);
    const int code = code_of([&] { return ::mkdir(prefix.c_str(), directory_mode); });
    if (code == EEXIST) continue;
    if (code != 0) return code;
    const std::size_t slash = prefix.find_last_of('/');
    const std::string parent = slash == std::string::npos ? "." : prefix.substr(0, slash + 1);
    if (const int failed = sync_directory_at(parent)) return failed;
  }
  return 0;
}

}  // namespace

Result<DirectoryPtr> open_directory(std::string_view path, bool create, IoHooks* hooks) {
  std::string full(path);
  while (full.size() > 1 && full.back() == '/') full.pop_back();
  if (full.empty() || full.find('\0') != std::string::npos)
    return Error(Errc::invalid_argument,
                 "opening a directory with an empty path or a zero byte in "
                 "it; give the path of a directory");
  int fd = -1;
  const auto open_it = [&] {
    fd = retry_interrupted([&] { return ::open(full.c_str(), directory_flags); });
    return fd < 0 ? errno : 0;
  };
  int code = hooked(hooks, {IoOp::open, {}}, open_it);
  if (code == ENOENT && create) {
    code = hooked(hooks, {IoOp::create_directory, {}}, [&] { return create_directories(full); });
    if (code != 0) return system_error(fmt::format("creating directory {}", full), code);
    code = hooked(hooks, {IoOp::open, {}}, open_it);
  }
  if (code != 0) return system_error(fmt::format("opening directory {}", full), code);
  const std::size_t root_length = full == "/" ? 1 : full.size() + 1;
  return DirectoryPtr(std::make_shared<DiskDirectory>(fd, std::move(full), root_length, hooks));
}

}  // namespace millrace::inline v0::os
