#pragma once
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "testing/disk_content.hpp"

namespace millrace::inline v0::testing::disk {

using NodeId = std::uint32_t;
inline constexpr NodeId root_node = 0;

/// A file or directory, whatever its names.
struct Node {
  bool is_directory = false;
  ContentPtr current = empty_content();  ///< as last captured
  ContentPtr durable = empty_content();
  std::map<std::size_t, PagePtr> lost = {};  ///< pages that a failed sync marked clean unwritten
  std::optional<std::uint64_t> cut_at = {};  ///< the smallest size since the last sync, if cut
};

/// Which entry of which directory is which node.
using Names = std::map<std::pair<NodeId, std::string>, NodeId>;

/// A change of a directory; an empty text is no name.
struct NameChange {
  NodeId directory;
  std::string removed;
  std::string added;
  NodeId node;
};

inline void apply(Names& names, const NameChange& change) {
  if (!change.removed.empty()) names.erase({change.directory, change.removed});
  if (change.added.empty()) return;
  // Changes applied out of order must not give one node two names.
  std::erase_if(names, [&](const auto& entry) { return entry.second == change.node; });
  names[{change.directory, change.added}] = change.node;
}

struct State {
  std::vector<Node> nodes;  ///< by NodeId
  Names names;              ///< as a running program sees them
  Names durable_names;
  std::vector<NameChange> unsynced;  ///< in the order they were made
};

}  // namespace millrace::inline v0::testing::disk
