#include <algorithm>
#include <charconv>
#include <millrace/storage/batch_scan.hpp>
#include <millrace/storage/checkpoint.hpp>
#include <millrace/storage/epoch_cache.hpp>
#include <millrace/storage/file_names.hpp>

#include "storage/file_bytes.hpp"

namespace millrace::inline v0::storage {
namespace {

std::optional<EpochCache::Entry> parse_entry(const std::string& line) {
  std::int32_t epoch = 0;
  std::int64_t start = 0;
  const char* end = line.data() + line.size();
  const auto first = std::from_chars(line.data(), end, epoch);
  if (first.ec != std::errc{} || first.ptr == end || *first.ptr != ' ') return std::nullopt;
  const auto second = std::from_chars(first.ptr + 1, end, start);
  if (second.ec != std::errc{} || second.ptr != end || epoch < 0 || start < 0) return std::nullopt;
  return EpochCache::Entry{LeaderEpoch{epoch}, Offset{start}};
}

}  // namespace

Result<void> EpochCache::load(const os::DirectoryPtr& directory) {
  entries_.clear();
  damaged_ = false;
  MILLRACE_TRY(const bool exists, directory->exists(file_name));
  missing_ = !exists;
  if (missing_) return {};
  MILLRACE_TRY(const std::string text, directory->read_file(file_name));
  const auto lines = parse_checkpoint(text, file_name);
  damaged_ = !lines;
  if (damaged_) return {};
  for (const auto& line : *lines) {
    const auto entry = parse_entry(line);
    const bool rises = entry && (entries_.empty() || (entry->epoch > entries_.back().epoch &&
                                                      entry->start >= entries_.back().start));
    if (!rises) {
      damaged_ = true;
      entries_.clear();
      return {};
    }
    entries_.push_back(*entry);
  }
  return {};
}

Result<void> EpochCache::rebuild(const os::DirectoryPtr& directory,
                                 const std::vector<Offset>& bases) {
  entries_.clear();
  for (const Offset base : bases) {
    MILLRACE_TRY(const FileBytes content,
                 FileBytes::open(directory, storage::file_name(base, log_suffix)));
    BatchScan scan(content.bytes(), base);
    for (auto step = scan.next(); step != BatchScan::Step::end; step = scan.next()) {
      if (step != BatchScan::Step::batch) continue;
      assign(scan.batch().leader_epoch(), scan.batch().base_offset());
    }
  }
  return {};
}

bool EpochCache::assign(LeaderEpoch epoch, Offset start) {
  if (epoch == LeaderEpoch::unknown) return false;
  if (!entries_.empty() && entries_.back().epoch >= epoch) return false;
  while (!entries_.empty() && entries_.back().start >= start) entries_.pop_back();
  entries_.push_back({epoch, start});
  return true;
}

void EpochCache::truncate_from_end(Offset end) {
  while (!entries_.empty() && entries_.back().start >= end) entries_.pop_back();
}

void EpochCache::truncate_from_start(Offset start) {
  std::size_t keep = 0;
  while (keep + 1 < entries_.size() && entries_[keep + 1].start <= start) ++keep;
  entries_.erase(entries_.begin(), entries_.begin() + static_cast<std::ptrdiff_t>(keep));
  if (!entries_.empty()) entries_.front().start = std::max(entries_.front().start, start);
}

std::optional<EpochCache::EndOffset> EpochCache::end_offset_for(LeaderEpoch epoch,
                                                                Offset log_end) const {
  if (entries_.empty() || epoch == LeaderEpoch::unknown) return std::nullopt;
  if (epoch == entries_.back().epoch) return EndOffset{epoch, log_end};
  if (epoch > entries_.back().epoch) return std::nullopt;
  if (epoch < entries_.front().epoch) return EndOffset{epoch, entries_.front().start};
  const auto next =
      std::upper_bound(entries_.begin(), entries_.end(), epoch,
                       [](LeaderEpoch e, const Entry& entry) { return e < entry.epoch; });
  return EndOffset{(next - 1)->epoch, next->start};
}

Result<void> EpochCache::save(const os::DirectoryPtr& directory) const {
  std::vector<std::string> lines;
  lines.reserve(entries_.size());
  for (const Entry& e : entries_) {
    lines.push_back(std::to_string(static_cast<std::int32_t>(e.epoch)) + " " +
                    std::to_string(e.start.value()));
  }
  return directory->replace_file(file_name, format_checkpoint(lines));
}

}  // namespace millrace::inline v0::storage
