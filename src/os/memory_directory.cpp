#include <fcntl.h>
#include <fmt/format.h>
#include <sys/mman.h>

#include <map>
#include <millrace/os/directory.hpp>
#include <millrace/os/io_hooks.hpp>
#include <mutex>
#include <utility>

#include "os/directory_names.hpp"
#include "os/system_call.hpp"

namespace millrace::inline v0::os {
namespace {

class MemoryDirectory final : public Directory {
 public:
  MemoryDirectory(std::string path, std::size_t root_length, IoHooks* hooks)
      : path_(std::move(path)), root_length_(root_length), hooks_(hooks) {}

  Result<File> open(std::string_view name, OpenMode mode) override;
  Result<bool> exists(std::string_view name) const override;
  Result<std::vector<DirectoryEntry>> list() const override;
  Result<void> rename(std::string_view from, std::string_view to) override;
  Result<void> remove(std::string_view name) override;
  Result<void> sync() override;
  Result<std::shared_ptr<Directory>> subdirectory(std::string_view name, bool create) override;
  Result<void> remove_tree(std::string_view name) override;
  Result<FileLock> lock(std::string_view name, std::string_view holder) override;
  const std::string& path() const noexcept override { return path_; }
  bool in_memory() const noexcept override { return true; }

 private:
  struct Entry {
    File file;
    std::shared_ptr<MemoryDirectory> directory;
  };

  std::string path_of(std::string_view name) const { return fmt::format("{}/{}", path_, name); }
  std::string_view below(const std::string& path) const { return below_root(path, root_length_); }
  int open_entry(const std::string& name, OpenMode mode, int& fd);
  int rename_entry(const std::string& from, const std::string& to);
  int remove_file(std::string_view name);
  bool has(std::string_view name) const;

  mutable std::mutex mutex_;
  std::map<std::string, Entry, std::less<>> entries_;
  std::string path_;
  std::size_t root_length_;
  IoHooks* hooks_;
};

bool MemoryDirectory::has(std::string_view name) const {
  const std::lock_guard guard(mutex_);
  return entries_.contains(name);
}

int MemoryDirectory::open_entry(const std::string& name, OpenMode mode, int& fd) {
  const std::lock_guard guard(mutex_);
  auto found = entries_.find(name);
  if (found == entries_.end()) {
    if (mode == OpenMode::read_only || mode == OpenMode::read_write) return ENOENT;
    const int created = ::memfd_create("millrace", MFD_CLOEXEC);
    if (created < 0) return errno;
    found = entries_.try_emplace(name).first;
    found->second.file = File(created, path_of(name), nullptr);
  }
  if (found->second.directory != nullptr) return EISDIR;
  // Not a dup: a lock belongs to an open file description, so that every handle needs its own.
  const std::string again = fmt::format("/proc/self/fd/{}", found->second.file.descriptor());
  const int flags = O_CLOEXEC | (mode == OpenMode::read_only ? O_RDONLY : O_RDWR);
  fd = retry_interrupted([&] { return ::open(again.c_str(), flags); });
  return fd < 0 ? errno : 0;
}

Result<File> MemoryDirectory::open(std::string_view name, OpenMode mode) {
  MILLRACE_CHECK(check_name(name, path_));
  std::string full = path_of(name);
  const bool creates = (mode == OpenMode::create || mode == OpenMode::replace) && !has(name);
  int fd = -1;
  const int code = hooked(hooks_, {creates ? IoOp::create : IoOp::open, below(full)},
                          [&] { return open_entry(std::string(name), mode, fd); });
  if (code != 0)
    return system_error(fmt::format("{} {}", creates ? "creating" : "opening", full), code);
  File file(fd, std::move(full), hooks_, root_length_);
  if (mode == OpenMode::replace && !creates) MILLRACE_CHECK(file.resize(0));
  return file;
}

Result<bool> MemoryDirectory::exists(std::string_view name) const {
  MILLRACE_CHECK(check_name(name, path_));
  const std::string full = path_of(name);
  bool found = false;
  const int code = hooked(hooks_, {IoOp::size, below(full)}, [&] { return found = has(name), 0; });
  if (code != 0) return system_error(fmt::format("looking for {}", full), code);
  return found;
}

Result<std::vector<DirectoryEntry>> MemoryDirectory::list() const {
  std::vector<DirectoryEntry> listed;
  const int code = hooked(hooks_, {IoOp::list, below(path_)}, [&] {
    const std::lock_guard guard(mutex_);
    for (const auto& [name, entry] : entries_) listed.push_back({name, entry.directory != nullptr});
    return 0;
  });
  if (code != 0) return system_error(fmt::format("listing {}", path_), code);
  return listed;
}

int MemoryDirectory::rename_entry(const std::string& from, const std::string& to) {
  const std::lock_guard guard(mutex_);
  const auto source = entries_.find(from);
  if (source == entries_.end()) return ENOENT;
  if (from == to) return 0;
  if (const auto target = entries_.find(to); target != entries_.end()) {
    const bool moves_directory = source->second.directory != nullptr;
    const bool onto_directory = target->second.directory != nullptr;
    if (moves_directory != onto_directory) return moves_directory ? ENOTDIR : EISDIR;
    if (onto_directory) {
      const std::lock_guard target_guard(target->second.directory->mutex_);
      if (!target->second.directory->entries_.empty()) return ENOTEMPTY;
    }
    entries_.erase(target);
  }
  auto node = entries_.extract(source);
  node.key() = to;
  entries_.insert(std::move(node));
  return 0;
}

Result<void> MemoryDirectory::rename(std::string_view from, std::string_view to) {
  MILLRACE_CHECK(check_name(from, path_));
  MILLRACE_CHECK(check_name(to, path_));
  const std::string old_path = path_of(from);
  const std::string new_path = path_of(to);
  const int code = hooked(hooks_, {IoOp::rename, below(old_path), 0, 0, below(new_path)},
                          [&] { return rename_entry(std::string(from), std::string(to)); });
  if (code != 0) return system_error(fmt::format("renaming {} to {}", old_path, to), code);
  return {};
}

int MemoryDirectory::remove_file(std::string_view name) {
  const std::lock_guard guard(mutex_);
  const auto found = entries_.find(name);
  if (found == entries_.end()) return ENOENT;
  if (found->second.directory != nullptr) return EISDIR;
  entries_.erase(found);
  return 0;
}

Result<void> MemoryDirectory::remove(std::string_view name) {
  MILLRACE_CHECK(check_name(name, path_));
  const std::string full = path_of(name);
  const int code = hooked(hooks_, {IoOp::remove, below(full)}, [&] { return remove_file(name); });
  if (code != 0 && code != ENOENT) return system_error(fmt::format("removing {}", full), code);
  return {};
}

Result<void> MemoryDirectory::sync() {
  const int code = hooked(hooks_, {IoOp::sync_directory, below(path_)}, [] { return 0; });
  if (code != 0) return system_error(fmt::format("syncing directory {}", path_), code);
  return {};
}

Result<std::shared_ptr<Directory>> MemoryDirectory::subdirectory(std::string_view name,
                                                                 bool create) {
  MILLRACE_CHECK(check_name(name, path_));
  const std::string full = path_of(name);
  const bool creates = create && !has(name);
  std::shared_ptr<MemoryDirectory> found;
  const IoOp op = creates ? IoOp::create_directory : IoOp::open;
  const int code = hooked(hooks_, {op, below(full)}, [&] {
    const std::lock_guard guard(mutex_);
    auto entry = entries_.find(name);
    if (entry == entries_.end()) {
      if (!create) return ENOENT;
      entry = entries_.try_emplace(std::string(name)).first;
      entry->second.directory = std::make_shared<MemoryDirectory>(full, root_length_, hooks_);
    }
    found = entry->second.directory;
    return found == nullptr ? ENOTDIR : 0;
  });
  if (code != 0)
    return system_error(fmt::format("{} directory {}", creates ? "creating" : "opening", full),
                        code);
  return std::shared_ptr<Directory>(std::move(found));
}

Result<void> MemoryDirectory::remove_tree(std::string_view name) {
  MILLRACE_CHECK(check_name(name, path_));
  std::shared_ptr<MemoryDirectory> tree;
  {
    const std::lock_guard guard(mutex_);
    const auto found = entries_.find(name);
    if (found == entries_.end()) return {};
    tree = found->second.directory;
  }
  if (tree == nullptr) return remove(name);
  MILLRACE_TRY(const auto children, tree->list());
  for (const auto& child : children)
    MILLRACE_CHECK(child.is_directory ? tree->remove_tree(child.name) : tree->remove(child.name));
  const std::string full = path_of(name);
  const int code = hooked(hooks_, {IoOp::remove, below(full)}, [&] {
    const std::lock_guard guard(mutex_);
    if (const auto found = entries_.find(name); found != entries_.end()) entries_.erase(found);
    return 0;
  });
  if (code != 0) return system_error(fmt::format("removing {}", full), code);
  return {};
}

Result<FileLock> MemoryDirectory::lock(std::string_view name, std::string_view holder) {
  MILLRACE_TRY(File file, open(name, OpenMode::create));
  MILLRACE_CHECK(take_lock(file, holder));
  return FileLock(std::move(file));
}

}  // namespace

DirectoryPtr make_memory_directory(IoHooks* hooks) {
  const std::string root = ":memory:";
  return std::make_shared<MemoryDirectory>(root, root.size() + 1, hooks);
}

}  // namespace millrace::inline v0::os
