#include <algorithm>
#include <limits>
#include <millrace/testing/simulated_disk.hpp>
#include <random>
#include <set>

#include "testing/disk_state.hpp"

namespace millrace::inline v0::testing {
namespace {

using disk::ContentPtr;
using disk::NodeId;
using Rng = std::mt19937_64;

constexpr std::uint64_t no_limit = std::numeric_limits<std::uint64_t>::max();

/// A file after the crash: `base`, with some units of `now` over it, `size` bytes of the whole.
struct Outcome {
  ContentPtr base;
  ContentPtr now;
  std::uint64_t size;
  std::size_t unit_bytes = disk::sector_bytes;
  std::vector<std::uint64_t> kept = {};  ///< ascending
};

bool toss(Rng& rng) {
  return (rng() & 1) != 0;
}

// Each with the same chance, which differs from file to file: near-complete losses and
// near-complete writes are as likely as even mixtures.
void keep_some(std::vector<std::uint64_t>& units, Rng& rng) {
  const std::uint64_t chance = rng() % 101;
  std::erase_if(units, [&](std::uint64_t) { return rng() % 100 >= chance; });
}

/// Where in the file the changes begin that cannot survive, because a cut before them did not.
std::uint64_t settle_cut(const disk::Node& node, Rng& rng, ContentPtr& base) {
  std::uint64_t cut = node.cut_at.value_or(no_limit);
  if (node.current->size < node.durable->size) cut = std::min(cut, node.current->size);
  if (cut == no_limit) return no_limit;
  if (!toss(rng)) return cut;
  base = disk::resized(base, std::min(cut, base->size));
  return no_limit;
}

Outcome choose_outcome(const disk::Node& node, CrashMode mode, Rng& rng) {
  if (mode == CrashMode::drop_unsynced) return {node.durable, node.durable, node.durable->size};
  if (mode == CrashMode::keep_all) return {node.current, node.current, node.current->size};
  Outcome out{node.durable, node.current, node.durable->size};
  const std::uint64_t limit = settle_cut(node, rng, out.base);
  if (mode == CrashMode::random_pages) out.unit_bytes = disk::page_bytes;
  out.kept = disk::differing_units(*out.base, *out.now, out.unit_bytes);
  std::erase_if(out.kept, [&](std::uint64_t unit) {
    return limit != no_limit && (unit + 1) * out.unit_bytes > limit;
  });
  const bool new_size = limit == no_limit && toss(rng);
  if (mode == CrashMode::prefix) {
    const std::size_t changed = out.kept.size();
    out.kept.resize(rng() % (changed + 1));
    const std::uint64_t end = out.kept.empty() ? 0 : (out.kept.back() + 1) * out.unit_bytes;
    out.size = std::max(out.base->size, std::min(end, out.now->size));
    if (new_size) out.size = out.now->size;
  } else {
    keep_some(out.kept, rng);
    out.size = new_size ? out.now->size : out.base->size;
  }
  if (limit != no_limit) out.size = node.durable->size;
  return out;
}

Result<void> write_outcome(os::File& file, const Outcome& out) {
  MILLRACE_CHECK(file.resize(out.size));
  auto kept = out.kept.begin();
  for (std::uint64_t at = 0; at < out.size; at += disk::page_bytes) {
    const auto index = static_cast<std::size_t>(at / disk::page_bytes);
    disk::Page page{};
    if (out.base->page(index) != nullptr) page = *out.base->page(index);
    bool filled = out.base->page(index) != nullptr;
    for (; kept != out.kept.end() && *kept * out.unit_bytes < at + disk::page_bytes; ++kept) {
      const std::size_t begin = static_cast<std::size_t>(*kept * out.unit_bytes - at);
      disk::Page fresh{};
      if (out.now->page(index) != nullptr) fresh = *out.now->page(index);
      std::copy_n(fresh.data() + begin, out.unit_bytes, page.data() + begin);
      filled = true;
    }
    if (!filled) continue;
    const auto length = std::min<std::uint64_t>(disk::page_bytes, out.size - at);
    MILLRACE_CHECK(file.write_at(Bytes(page).first(static_cast<std::size_t>(length)), at));
  }
  return {};
}

disk::Names choose_names(const disk::State& state, const Crash& crash, Rng& rng) {
  if (crash.mode == CrashMode::keep_all) return state.names;
  disk::Names names = state.durable_names;
  if (crash.mode == CrashMode::drop_unsynced) return names;
  const std::size_t prefix = rng() % (state.unsynced.size() + 1);
  for (std::size_t i = 0; i < state.unsynced.size(); ++i) {
    const bool kept = crash.names == NameChanges::ordered ? i < prefix : toss(rng);
    if (kept) disk::apply(names, state.unsynced[i]);
  }
  return names;
}

struct Writer {
  const disk::State& state;
  const disk::Names& names;
  CrashMode mode;
  Rng& rng;

  Result<void> write(NodeId directory, os::Directory& target) {
    for (auto entry = names.lower_bound({directory, {}});
         entry != names.end() && entry->first.first == directory; ++entry) {
      const std::string& name = entry->first.second;
      const disk::Node& node = state.nodes[entry->second];
      if (node.is_directory) {
        MILLRACE_TRY(const auto below, target.subdirectory(name, true));
        MILLRACE_CHECK(write(entry->second, *below));
      } else {
        MILLRACE_TRY(os::File file, target.open(name, os::OpenMode::replace));
        MILLRACE_CHECK(write_outcome(file, choose_outcome(node, mode, rng)));
      }
    }
    return {};
  }
};

}  // namespace

Result<void> DiskImage::materialize(const Crash& crash, os::Directory& target) const {
  Rng rng(crash.seed);
  const disk::Names names = choose_names(*state_, crash, rng);
  return Writer{*state_, names, crash.mode, rng}.write(disk::root_node, target);
}

std::uint64_t DiskImage::unsynced() const {
  std::set<NodeId> reachable;
  for (const auto& [place, id] : state_->names) reachable.insert(id);
  for (const auto& [place, id] : state_->durable_names) reachable.insert(id);
  std::uint64_t count = state_->unsynced.size();
  for (const NodeId id : reachable) {
    const disk::Node& node = state_->nodes[id];
    count += disk::differing_units(*node.durable, *node.current, disk::sector_bytes).size();
    if (node.durable->size != node.current->size) ++count;
  }
  return count;
}

}  // namespace millrace::inline v0::testing
