#include <millrace/storage/attached_log.hpp>

#include <algorithm>

#include <millrace/storage/file_names.hpp>

namespace millrace::inline v0::storage {
namespace {

constexpr Segment::Limits attached_limits{std::uint64_t{1} << 31, 10u << 20};

std::array<std::uint8_t, 16> this_boot(const os::DirectoryPtr& directory) {
  auto file = directory->open(ControlFile::name, os::OpenMode::read_only);
  if (!file) return {};
  return file->identity().value_or(os::FileIdentity{}).boot_id;
}

}  // namespace

Result<std::unique_ptr<AttachedLog>> AttachedLog::open(os::DirectoryPtr directory) {
  auto log = std::make_unique<AttachedLog>();
  log->directory_ = std::move(directory);
  MILLRACE_TRY(log->control_, ControlFile::attach(log->directory_));
  if (!log->control_.is_valid()) {
    return Error(Errc::corrupt_data, "the control file in " + log->directory_->path() +
                                         " is not complete; let the owner open the directory once");
  }
  log->boot_id_ = this_boot(log->directory_);
  return log;
}

Offset AttachedLog::visible_end() const noexcept {
  const ControlBlock& block = control();
  const auto state = static_cast<ControlState>(block.state.load(std::memory_order_acquire));
  const bool same_run = block.active_file.boot_id == boot_id_;
  const bool trusted = state == ControlState::clean || (state == ControlState::live && same_run);
  const auto& field = trusted ? block.high_watermark : block.flushed_offset;
  return Offset{field.load(std::memory_order_acquire)};
}

Result<SegmentListPtr> AttachedLog::segments() {
  const std::lock_guard lock(mutex_);
  const std::uint64_t generation = control().segments_generation.load(std::memory_order_acquire);
  if (list_ && list_->generation == generation) return list_;
  MILLRACE_TRY(const auto entries, directory_->list());
  std::vector<Offset> bases;
  for (const auto& entry : entries) {
    if (const auto base = parse_file_name(entry.name, log_suffix)) bases.push_back(*base);
  }
  std::sort(bases.begin(), bases.end());
  auto list = std::make_shared<SegmentList>();
  list->generation = generation;
  for (const Offset base : bases) {
    list->segments.push_back(
        std::make_shared<Segment>(directory_, base, SegmentMode::attached, attached_limits));
  }
  list_ = std::move(list);
  return list_;
}

}  // namespace millrace::inline v0::storage
