#pragma once
#include <map>
#include <millrace/os/directory.hpp>
#include <millrace/os/io_hooks.hpp>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>

#include "testing/disk_state.hpp"

namespace millrace::inline v0::testing::disk {

/// Keeps a State up to date with the calls made on a real directory. Thread-safe.
class Tracker {
 public:
  /// Takes everything that is in `root` for durable.
  explicit Tracker(std::string root);

  Result<State> snapshot();

  void before(const os::IoCall& call);
  void after(const os::IoCall& call);
  void failed(const os::IoCall& call);

 private:
  struct Place {
    NodeId directory = root_node;
    std::string name;
  };

  std::optional<Place> place_of(std::string_view path);
  std::optional<NodeId> find(std::string_view path);
  NodeId enter(const Place& place, bool is_directory);
  Result<void> track_creation(const os::IoCall& call);
  Result<void> adopt(NodeId directory, os::Directory& real);
  std::string real_path(NodeId id) const;
  Result<void> capture_node(NodeId id);
  Result<void> write_back(NodeId id);

  Result<void> track(const os::IoCall& call);
  Result<void> track_sync(NodeId id, const os::IoCall& call);
  Result<void> track_failed_sync(NodeId id, const os::IoCall& call);
  void track_resize(NodeId id, std::uint64_t size);
  void track_rename(const os::IoCall& call);
  void track_remove(std::string_view path);
  void sync_names(NodeId directory);
  void keep(Result<void> outcome);

  std::mutex mutex_;
  std::string root_;
  State state_;
  std::map<NodeId, Place> places_;  ///< where each node is now
  Names last_names_;                ///< what each name stood for last, for handles opened by it
  std::optional<Error> broken_;
};

}  // namespace millrace::inline v0::testing::disk
