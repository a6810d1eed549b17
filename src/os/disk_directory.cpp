#include <dirent.h>
#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <millrace/os/directory.hpp>
#include <millrace/os/io_hooks.hpp>
#include <mutex>
#include <utility>

#include "os/directory_names.hpp"
#include "os/system_call.hpp"

namespace millrace::inline v0::os {
namespace {

constexpr mode_t file_mode = 0644;
constexpr mode_t directory_mode = 0755;
constexpr int directory_flags = O_RDONLY | O_DIRECTORY | O_CLOEXEC;

struct Inode {
  dev_t device = 0;
  ino_t number = 0;
  friend bool operator==(const Inode&, const Inode&) = default;
};

struct Descriptor {
  explicit Descriptor(int number) : fd(number) {}
  Descriptor(const Descriptor&) = delete;
  Descriptor& operator=(const Descriptor&) = delete;
  ~Descriptor() { ::close(fd); }
  const int fd;
};
using DescriptorPtr = std::shared_ptr<const Descriptor>;

// The directories that were used last: calls come in bursts, a dozen to open a partition.
class RecentDirectories {
 public:
  DescriptorPtr find(const Inode& inode) {
    const std::lock_guard lock(mutex_);
    for (const Entry& entry : entries_) {
      if (entry.descriptor && entry.inode == inode) return entry.descriptor;
    }
    return nullptr;
  }
  void keep(const Inode& inode, DescriptorPtr descriptor) {
    const std::lock_guard lock(mutex_);
    entries_[next_++ % entries_.size()] = {inode, std::move(descriptor)};
  }

 private:
  struct Entry {
    Inode inode;
    DescriptorPtr descriptor;
  };
  std::mutex mutex_;
  std::array<Entry, 4> entries_;
  std::size_t next_ = 0;
};

// What all directories of one tree share: the only descriptors that stay open.
struct Root {
  Descriptor directory;
  std::size_t length;  // characters of a path that hooks are not told
  IoHooks* hooks;
  mutable RecentDirectories recent;

  Root(int fd, std::size_t path_length, IoHooks* io_hooks)
      : directory(fd), length(path_length), hooks(io_hooks) {}
};
using RootPtr = std::shared_ptr<const Root>;

// Thousands of partitions have a directory each, so that none holds a descriptor: a call opens it
// anew, unless it was used just now, and sees to it that it is still the same one.
class DiskDirectory final : public Directory {
 public:
  DiskDirectory(RootPtr root, std::string path, Inode inode)
      : root_(std::move(root)), path_(std::move(path)), inode_(inode) {}

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
  std::string_view below(const std::string& path) const { return below_root(path, root_->length); }
  Result<void> unlink(std::string_view name, int flags);
  /// 0, or an errno value.
  int descriptor(DescriptorPtr& found) const;
  /// The file type bits of an entry, 0 if there is none.
  Result<mode_t> type_of(std::string_view name) const;
  /// Runs `call(descriptor)`, which returns 0 or an errno value, between its hooks.
  template <typename Call>
  int hooked_inside(const IoCall& io_call, Call&& call) const;

  RootPtr root_;
  std::string path_;
  Inode inode_;
};

int DiskDirectory::descriptor(DescriptorPtr& found) const {
  found = root_->recent.find(inode_);
  if (found) return 0;
  const std::string relative(below(path_));
  const int fd = retry_interrupted(
      [&] { return ::openat(root_->directory.fd, relative.c_str(), directory_flags); });
  if (fd < 0) return errno;
  found = std::make_shared<const Descriptor>(fd);
  struct stat status {};
  if (::fstat(fd, &status) != 0) return errno;
  if (Inode{status.st_dev, status.st_ino} != inode_) return ENOENT;
  root_->recent.keep(inode_, found);
  return 0;
}

template <typename Call>
int DiskDirectory::hooked_inside(const IoCall& io_call, Call&& call) const {
  return hooked(root_->hooks, io_call, [&] {
    if (below(path_).empty()) return call(root_->directory.fd);
    DescriptorPtr inside;
    const int code = descriptor(inside);
    return code != 0 ? code : call(inside->fd);
  });
}

Result<mode_t> DiskDirectory::type_of(std::string_view name) const {
  const std::string full = path_of(name);
  struct stat found {};
  const int code = hooked_inside({IoOp::size, below(full)}, [&](int fd) {
    const std::string plain(name);
    const int failed =
        code_of([&] { return ::fstatat(fd, plain.c_str(), &found, AT_SYMLINK_NOFOLLOW); });
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
  const IoCall call{missing ? IoOp::create : IoOp::open, below(full)};
  const int code = hooked_inside(call, [&](int inside) {
    const std::string plain(name);
    fd = retry_interrupted([&] { return ::openat(inside, plain.c_str(), flags, file_mode); });
    return fd < 0 ? errno : 0;
  });
  if (code != 0)
    return system_error(fmt::format("{} {}", missing ? "creating" : "opening", full), code);
  File file(fd, std::move(full), root_->hooks, root_->length);
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
  const int code = hooked_inside({IoOp::list, below(path_)}, [&](int fd) {
    const int copy = retry_interrupted([&] { return ::openat(fd, ".", directory_flags); });
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
          ::fstatat(fd, entry->d_name, &found, AT_SYMLINK_NOFOLLOW) == 0)
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
  const IoCall call{IoOp::rename, below(old_path), 0, 0, below(new_path)};
  const int code = hooked_inside(call, [&](int fd) {
    const std::string old_name(from), new_name(to);
    return code_of([&] { return ::renameat(fd, old_name.c_str(), fd, new_name.c_str()); });
  });
  if (code != 0) return system_error(fmt::format("renaming {} to {}", old_path, to), code);
  return {};
}

Result<void> DiskDirectory::unlink(std::string_view name, int flags) {
  MILLRACE_CHECK(check_name(name, path_));
  const std::string full = path_of(name);
  const int code = hooked_inside({IoOp::remove, below(full)}, [&](int fd) {
    const std::string plain(name);
    return code_of([&] { return ::unlinkat(fd, plain.c_str(), flags); });
  });
  if (code != 0 && code != ENOENT) return system_error(fmt::format("removing {}", full), code);
  return {};
}

Result<void> DiskDirectory::sync() {
  const int code = hooked_inside({IoOp::sync_directory, below(path_)},
                                 [&](int fd) { return ::fsync(fd) == 0 ? 0 : errno; });
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
    const int code = type != 0 ? 0 : hooked_inside(call, [&](int fd) {
      const int failed = code_of([&] { return ::mkdirat(fd, plain.c_str(), directory_mode); });
      return failed == EEXIST ? 0 : failed;
    });
    if (code != 0) return system_error(fmt::format("creating directory {}", full), code);
  }
  struct stat found {};
  const int code = hooked_inside({IoOp::open, below(full)}, [&](int fd) {
    const int failed = code_of([&] { return ::fstatat(fd, plain.c_str(), &found, 0); });
    return failed == 0 && !S_ISDIR(found.st_mode) ? ENOTDIR : failed;
  });
  if (code != 0) return system_error(fmt::format("opening directory {}", full), code);
  return std::shared_ptr<Directory>(
      std::make_shared<DiskDirectory>(root_, std::move(full), Inode{found.st_dev, found.st_ino}));
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
  auto root = std::make_shared<const Root>(fd, root_length, hooks);
  return DirectoryPtr(std::make_shared<DiskDirectory>(std::move(root), std::move(full), Inode{}));
}

}  // namespace millrace::inline v0::os
