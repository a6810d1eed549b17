#include "testing/disk_tracker.hpp"

#include <fcntl.h>
#include <fmt/format.h>

#include <algorithm>
#include <limits>

namespace millrace::inline v0::testing::disk {
namespace {

struct PageRange {
  std::size_t begin = 0;
  std::size_t end = std::numeric_limits<std::size_t>::max();
};

PageRange pages_of(const os::IoCall& call) noexcept {
  if (call.op == os::IoOp::sync_data) return {};
  return {static_cast<std::size_t>(call.position / page_bytes),
          static_cast<std::size_t>((call.position + call.length + page_bytes - 1) / page_bytes)};
}

Result<os::File> open_real(const std::string& path, int flags) {
  const int fd = ::open(path.c_str(), flags | O_CLOEXEC);
  if (fd < 0) return Error::from_os("opening " + path + " behind the simulated disk", errno);
  return os::File(fd, path, nullptr);
}

}  // namespace

Tracker::Tracker(std::string root) : root_(std::move(root)) {
  state_.nodes.push_back({.is_directory = true});
  const auto real = os::open_directory(root_, false);
  if (!real && real.error().os_code() == ENOENT) return;
  keep(real ? adopt(root_node, **real) : Result<void>(real.error()));
  state_.durable_names = state_.names;
}

Result<void> Tracker::adopt(NodeId directory, os::Directory& real) {
  MILLRACE_TRY(const auto entries, real.list());
  for (const auto& entry : entries) {
    const NodeId id = enter({directory, entry.name}, entry.is_directory);
    if (entry.is_directory) {
      MILLRACE_TRY(const auto below, real.subdirectory(entry.name, false));
      MILLRACE_CHECK(adopt(id, *below));
    } else {
      MILLRACE_CHECK(capture_node(id));
      state_.nodes[id].durable = state_.nodes[id].current;
    }
  }
  return {};
}

Result<State> Tracker::snapshot() {
  const std::lock_guard guard(mutex_);
  for (const auto& [id, place] : places_) keep(capture_node(id));
  if (broken_) return *broken_;
  return state_;
}

void Tracker::before(const os::IoCall& call) {
  const std::lock_guard guard(mutex_);
  // The last moment to see what a name stands for.
  const bool renames = call.op == os::IoOp::rename;
  if (!renames && call.op != os::IoOp::remove) return;
  if (const auto id = find(renames ? call.new_path : call.path)) keep(capture_node(*id));
}

void Tracker::after(const os::IoCall& call) {
  const std::lock_guard guard(mutex_);
  keep(track(call));
}

void Tracker::failed(const os::IoCall& call) {
  const std::lock_guard guard(mutex_);
  if (call.op != os::IoOp::sync_data && call.op != os::IoOp::sync_range) return;
  if (const auto id = find(call.path)) keep(track_failed_sync(*id, call));
}

std::optional<NodeId> Tracker::find(std::string_view path) {
  NodeId node = root_node;
  while (!path.empty()) {
    const std::size_t slash = path.find('/');
    const std::pair key{node, std::string(path.substr(0, slash))};
    // A handle reports the name it was opened by, which may have moved on since.
    auto found = state_.names.find(key);
    if (found == state_.names.end()) {
      found = last_names_.find(key);
      if (found == last_names_.end()) return {};
    }
    node = found->second;
    path = slash == std::string_view::npos ? std::string_view{} : path.substr(slash + 1);
  }
  return node;
}

std::optional<Tracker::Place> Tracker::place_of(std::string_view path) {
  const std::size_t slash = path.rfind('/');
  const bool in_root = slash == std::string_view::npos;
  const auto directory = find(in_root ? std::string_view{} : path.substr(0, slash));
  if (!directory) return {};
  return Place{*directory, std::string(in_root ? path : path.substr(slash + 1))};
}

NodeId Tracker::enter(const Place& place, bool is_directory) {
  const auto id = static_cast<NodeId>(state_.nodes.size());
  state_.nodes.push_back({.is_directory = is_directory});
  state_.names[{place.directory, place.name}] = id;
  last_names_[{place.directory, place.name}] = id;
  places_[id] = place;
  return id;
}

std::string Tracker::real_path(NodeId id) const {
  std::string path;
  while (id != root_node) {
    const Place& place = places_.at(id);
    path.insert(0, "/" + place.name);
    id = place.directory;
  }
  return root_ + path;
}

Result<void> Tracker::capture_node(NodeId id) {
  Node& node = state_.nodes[id];
  if (node.is_directory || !places_.contains(id)) return {};
  MILLRACE_TRY(const os::File file, open_real(real_path(id), O_RDONLY));
  MILLRACE_TRY(node.current, capture(file, node.current));
  return {};
}

Result<void> Tracker::track(const os::IoCall& call) {
  switch (call.op) {
    case os::IoOp::create:
    case os::IoOp::create_directory:
      return track_creation(call);
    case os::IoOp::rename:
      return track_rename(call), Result<void>();
    case os::IoOp::remove:
      return track_remove(call.path), Result<void>();
    default:
      break;
  }
  const auto id = find(call.path);
  if (!id) return {};
  switch (call.op) {
    case os::IoOp::sync_data:
    case os::IoOp::sync_range:
      return track_sync(*id, call);
    case os::IoOp::sync_directory:
      return sync_names(*id), Result<void>();
    case os::IoOp::resize:
      return track_resize(*id, call.length), Result<void>();
    case os::IoOp::drop_cache:
      return write_back(*id);
    default:
      return {};
  }
}

Result<void> Tracker::track_creation(const os::IoCall& call) {
  if (call.path.empty()) return {};
  const auto place = place_of(call.path);
  if (!place)
    return Error(Errc::invalid_argument,
                 fmt::format("the simulated disk saw {} created in a directory that it does not "
                             "know; make it before the store opens its directory",
                             call.path));
  if (state_.names.contains({place->directory, place->name})) return {};
  const NodeId id = enter(*place, call.op == os::IoOp::create_directory);
  state_.unsynced.push_back({place->directory, {}, place->name, id});
  return {};
}

void Tracker::track_rename(const os::IoCall& call) {
  const auto from = place_of(call.path);
  const auto to = place_of(call.new_path);
  if (!from || !to || call.path == call.new_path) return;
  const auto source = state_.names.find({from->directory, from->name});
  if (source == state_.names.end()) return;
  const NodeId id = source->second;
  state_.names.erase(source);
  const auto target = state_.names.find({to->directory, to->name});
  if (target != state_.names.end()) places_.erase(target->second);
  state_.names[{to->directory, to->name}] = id;
  last_names_[{to->directory, to->name}] = id;
  places_[id] = *to;
  state_.unsynced.push_back({from->directory, from->name, to->name, id});
}

void Tracker::track_remove(std::string_view path) {
  const auto place = place_of(path);
  if (!place) return;
  const auto found = state_.names.find({place->directory, place->name});
  if (found == state_.names.end()) return;
  state_.unsynced.push_back({place->directory, place->name, {}, found->second});
  places_.erase(found->second);
  state_.names.erase(found);
}

void Tracker::sync_names(NodeId directory) {
  for (const NameChange& change : state_.unsynced)
    if (change.directory == directory) apply(state_.durable_names, change);
  std::erase_if(state_.unsynced,
                [&](const NameChange& change) { return change.directory == directory; });
}

void Tracker::track_resize(NodeId id, std::uint64_t size) {
  Node& node = state_.nodes[id];
  if (size < node.durable->size) node.cut_at = std::min(size, node.cut_at.value_or(size));
  const auto kept_pages = static_cast<std::size_t>((size + page_bytes - 1) / page_bytes);
  node.lost.erase(node.lost.lower_bound(kept_pages), node.lost.end());
}

Result<void> Tracker::track_sync(NodeId id, const os::IoCall& call) {
  MILLRACE_CHECK(capture_node(id));
  Node& node = state_.nodes[id];
  const PageRange range = pages_of(call);
  const Content& current = *node.current;
  Content next = *resized(node.durable,
                          std::min(node.durable->size, node.cut_at.value_or(node.durable->size)));
  node.cut_at.reset();
  const std::size_t count = std::max(current.pages.size(), next.pages.size());
  for (std::size_t i = range.begin; i < std::min(range.end, count); ++i) {
    const auto lost = node.lost.find(i);
    if (lost != node.lost.end() && same_page(lost->second, current.page(i))) continue;
    if (lost != node.lost.end()) node.lost.erase(lost);
    next.set_page(i, current.page(i));
  }
  next.size = call.op == os::IoOp::sync_data
                  ? current.size
                  : std::max(next.size, std::min(current.size, call.position + call.length));
  node.durable = std::make_shared<const Content>(std::move(next));
  return {};
}

Result<void> Tracker::track_failed_sync(NodeId id, const os::IoCall& call) {
  MILLRACE_CHECK(capture_node(id));
  Node& node = state_.nodes[id];
  const PageRange range = pages_of(call);
  const std::size_t count = std::max(node.current->pages.size(), node.durable->pages.size());
  for (std::size_t i = range.begin; i < std::min(range.end, count); ++i)
    if (!same_page(node.current->page(i), node.durable->page(i)))
      node.lost[i] = node.current->page(i);
  return {};
}

Result<void> Tracker::write_back(NodeId id) {
  Node& node = state_.nodes[id];
  if (node.lost.empty() || !places_.contains(id)) return {};
  MILLRACE_CHECK(capture_node(id));
  MILLRACE_TRY(os::File file, open_real(real_path(id), O_RDWR));
  for (const auto& [index, page] : node.lost) {
    const std::uint64_t position = std::uint64_t{index} * page_bytes;
    if (position >= node.current->size || !same_page(page, node.current->page(index))) continue;
    const Page zeros{};
    const PagePtr& old = node.durable->page(index);
    const Bytes bytes = old == nullptr ? Bytes(zeros) : Bytes(*old);
    const auto length = std::min<std::uint64_t>(page_bytes, node.current->size - position);
    MILLRACE_CHECK(file.write_at(bytes.first(static_cast<std::size_t>(length)), position));
  }
  node.lost.clear();
  return {};
}

void Tracker::keep(Result<void> outcome) {
  if (!outcome && !broken_) broken_ = std::move(outcome).error();
}

}  // namespace millrace::inline v0::testing::disk
