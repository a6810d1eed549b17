#include <algorithm>
#include <millrace/storage/attached_log.hpp>
#include <millrace/storage/file_names.hpp>
#include <millrace/storage/log_options.hpp>
#include <thread>

namespace millrace::inline v0::storage {
namespace {

// The owner changes the set of segments rarely: losing that many races means it does nothing else.
constexpr int most_attempts = 1000;

// Another process's options are not known: room for the largest there can be costs address space
// only.
constexpr Segment::Limits growing{largest_segment, 64u << 20};
constexpr Segment::Limits complete{0, 0};

/// Whether the block of a log that was closed says something else than when it was closed.
bool is_broken(const ControlFile& control) noexcept {
  const auto is_closed = [&] {
    return control.block().state.load() == static_cast<std::uint32_t>(ControlState::clean);
  };
  // An owner that opens it meanwhile leaves the state before it changes anything else.
  return is_closed() && !control.is_sealed() && is_closed();
}

}  // namespace

Result<std::unique_ptr<AttachedLog>> AttachedLog::open(os::DirectoryPtr directory) {
  std::unique_ptr<AttachedLog> log(new AttachedLog(std::move(directory)));
  MILLRACE_TRY(ControlFile control, ControlFile::attach(log->directory_));
  const auto shared = std::make_shared<ControlFile>(std::move(control));
  log->control_ = shared.get();
  log->block_ = {shared, &shared->block()};
  const ControlBlock& block = log->control();
  if (block.magic == ControlBlock::magic_value && block.version > ControlBlock::current_version) {
    return Error(Errc::newer_format, "attaching to " + log->directory_->path() +
                                         ": its control file is of format " +
                                         std::to_string(block.version) +
                                         "; use the millrace that wrote it, or a later one");
  }
  if (block.magic != 0 && (!log->control_->is_valid() || is_broken(*log->control_))) {
    return Error(Errc::corrupt_data, "attaching to " + log->directory_->path() +
                                         ": its control file is damaged; it is rebuilt when its "
                                         "owner opens it, or by millrace log repair");
  }
  MILLRACE_TRY(const os::File file,
               log->directory_->open(ControlFile::name, os::OpenMode::read_only));
  MILLRACE_TRY(const os::FileIdentity identity, file.identity());
  log->boot_id_ = identity.boot_id;
  return log;
}

Offset AttachedLog::trusted_end(const std::atomic<std::int64_t>& published) const noexcept {
  const ControlBlock& block = control();
  if (!control_->is_valid()) return Offset{0};
  const auto state = static_cast<ControlState>(block.state.load(std::memory_order_relaxed));
  bool same_run = same_run_.load(std::memory_order_relaxed);
  if (!same_run) [[unlikely]] {
    same_run = load_boot_id(block) == boot_id_ && boot_id_ != decltype(boot_id_){};
    same_run_.store(same_run, std::memory_order_relaxed);
  }
  const bool trusted = same_run && (state == ControlState::live || state == ControlState::clean);
  const auto& end = trusted ? published : block.flushed_offset;
  return Offset{end.load(std::memory_order_acquire)};
}

Result<SegmentListPtr> AttachedLog::segments() {
  const std::lock_guard lock(mutex_);
  const auto& current = control().segments_generation;
  for (int attempt = 1;; ++attempt) {
    const std::uint64_t generation = current.load(std::memory_order_acquire);
    if (list_ && list_->generation == generation) return list_;
    const bool last_attempt = attempt >= most_attempts;
    // Odd: files are being exchanged. An owner that died at it left every name in order, too.
    if (generation % 2 != 0 && !last_attempt) {
      std::this_thread::yield();
      continue;
    }
    auto list = list_segments(generation);
    const bool changed = generation != current.load(std::memory_order_acquire);
    if (!list && (changed || list.error().os_code() == ENOENT) && !last_attempt) continue;
    if (!list) return std::move(list).error();
    if (changed && !last_attempt) continue;
    list_ = *std::move(list);
    return list_;
  }
}

Result<SegmentListPtr> AttachedLog::list_segments(std::uint64_t generation) {
  MILLRACE_TRY(const auto entries, directory_->list());
  std::vector<Offset> bases;
  for (const auto& entry : entries) {
    if (const auto base = parse_file_name(entry.name, log_suffix)) bases.push_back(*base);
  }
  std::sort(bases.begin(), bases.end());
  auto list = std::make_shared<SegmentList>();
  list->generation = generation;
  std::map<Offset, os::FileIdentity> identities;
  for (const Offset base : bases) {
    MILLRACE_TRY(const os::File file,
                 directory_->open(file_name(base, log_suffix), os::OpenMode::read_only));
    MILLRACE_TRY(identities[base], file.identity());
    const bool grows = base == bases.back();
    SegmentPtr segment = known_segment(base, identities[base]);
    if (segment && grows && segment->limits().map_bytes == 0) segment = nullptr;
    if (segment && segment->is_open()) {
      // A truncation may have cut what is known of it, and more than is mapped may have come since.
      MILLRACE_TRY(const std::uint64_t size, file.size());
      MILLRACE_CHECK(segment->refresh());
      if (segment->mapped_bytes() < size) segment = nullptr;
    }
    if (!segment) {
      segment = std::make_shared<Segment>(directory_, base, block_, grows ? growing : complete);
    }
    list->segments.push_back(std::move(segment));
  }
  identities_ = std::move(identities);
  return SegmentListPtr(std::move(list));
}

SegmentPtr AttachedLog::known_segment(Offset base, const os::FileIdentity& identity) const {
  const auto known = identities_.find(base);
  if (!list_ || known == identities_.end() || known->second != identity) return nullptr;
  for (const SegmentPtr& segment : list_->segments) {
    if (segment->base_offset() == base) return segment;
  }
  return nullptr;
}

}  // namespace millrace::inline v0::storage
