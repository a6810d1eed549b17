#include "storage/inspect_index.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <millrace/storage/batch_scan.hpp>
#include <millrace/storage/file_names.hpp>

#include "storage/file_bytes.hpp"

namespace millrace::inline v0::storage {

IndexCheck::IndexCheck(const os::DirectoryPtr& directory, Offset base) : base_(base) {
  offset_file_.name = file_name(base, offset_index_suffix);
  offset_file_.kind = FindingKind::offset_index;
  time_file_.name = file_name(base, time_index_suffix);
  time_file_.kind = FindingKind::time_index;
  load_offsets(directory);
  load_times(directory);
}

std::vector<std::byte> IndexCheck::load(const os::DirectoryPtr& directory, File& file,
                                        std::size_t entry_bytes) {
  const auto exists = directory->exists(file.name);
  if (exists && !*exists) {
    file.is_missing = true;
    return {};
  }
  const auto content = FileBytes::open(directory, file.name);
  if (!content || content->unreadable() != 0) {
    file.fault = content ? "has unreadable bytes" : content.error().message();
    return {};
  }
  const Bytes bytes = content->bytes();
  const std::uint64_t end = end_of_content(bytes, 0);
  file.has_zeros = end + entry_bytes <= bytes.size();
  if (bytes.size() % entry_bytes != 0 && !file.has_zeros) {
    file.fault = fmt::format("has {} bytes, no multiple of {}", bytes.size(), entry_bytes);
    file.length = bytes.size();
  }
  const std::size_t entries = (end + entry_bytes - 1) / entry_bytes;
  const auto used = bytes.first(
      std::min<std::uint64_t>(entries * entry_bytes, bytes.size() / entry_bytes * entry_bytes));
  return {used.begin(), used.end()};
}

void IndexCheck::offset_fault(std::size_t entry, const std::string& fault) {
  if (!offset_file_.fault.empty()) return;
  offset_file_.fault = fmt::format("entry {} {}", entry, fault);
  offset_file_.position = entry * OffsetIndex::entry_bytes;
  offset_file_.length = OffsetIndex::entry_bytes;
}

void IndexCheck::time_fault(std::size_t entry, const std::string& fault) {
  if (!time_file_.fault.empty()) return;
  time_file_.fault = fmt::format("entry {} {}", entry, fault);
  time_file_.position = entry * TimeIndex::entry_bytes;
  time_file_.length = TimeIndex::entry_bytes;
}

void IndexCheck::load_offsets(const os::DirectoryPtr& directory) {
  const auto bytes = load(directory, offset_file_, OffsetIndex::entry_bytes);
  for (std::size_t at = 0; at < bytes.size(); at += OffsetIndex::entry_bytes) {
    offsets_.push_back({base_ + load_big<std::int32_t>(bytes.data() + at),
                        FilePosition{load_big<std::uint32_t>(bytes.data() + at + 4)}});
    const std::size_t i = offsets_.size() - 1;
    if (offsets_[i].offset < base_ ||
        (i > 0 && (offsets_[i].offset <= offsets_[i - 1].offset ||
                   offsets_[i].position <= offsets_[i - 1].position))) {
      offset_fault(i, "is out of order");
    }
  }
}

void IndexCheck::load_times(const os::DirectoryPtr& directory) {
  const auto bytes = load(directory, time_file_, TimeIndex::entry_bytes);
  for (std::size_t at = 0; at < bytes.size(); at += TimeIndex::entry_bytes) {
    times_.push_back({Timestamp{load_big<std::int64_t>(bytes.data() + at)},
                      base_ + load_big<std::int32_t>(bytes.data() + at + 8)});
    const std::size_t i = times_.size() - 1;
    if (times_[i].offset < base_ || (i > 0 && (times_[i].timestamp <= times_[i - 1].timestamp ||
                                               times_[i].offset <= times_[i - 1].offset))) {
      time_fault(i, "is out of order");
    }
  }
}

void IndexCheck::pass_times_below(Offset offset) {
  for (; next_time_ < times_.size() && times_[next_time_].offset < offset; ++next_time_) {
    time_fault(next_time_, fmt::format("names offset {}, with which no batch ends",
                                       times_[next_time_].offset.value()));
  }
}

void IndexCheck::batch(const record::BatchView& batch, std::uint64_t position) {
  has_batches_ = true;
  for (; next_offset_ < offsets_.size() && offsets_[next_offset_].position.value() <= position;
       ++next_offset_) {
    const OffsetEntry& entry = offsets_[next_offset_];
    if (entry.position.value() != position) {
      offset_fault(next_offset_,
                   fmt::format("points at byte {}, where no batch starts", entry.position.value()));
    } else if (entry.offset != batch.last_offset()) {
      offset_fault(next_offset_, fmt::format("says offset {} of a batch that ends with {}",
                                             entry.offset.value(), batch.last_offset().value()));
    }
  }
  pass_times_below(batch.last_offset());
  if (next_time_ < times_.size() && times_[next_time_].offset == batch.last_offset()) {
    const Timestamp time = times_[next_time_].timestamp;
    if (time != batch.max_timestamp() || time < largest_) {
      time_fault(next_time_, fmt::format("says time {} at offset {}, where it is {}",
                                         time.milliseconds(), batch.last_offset().value(),
                                         std::max(largest_, batch.max_timestamp()).milliseconds()));
    }
    ++next_time_;
  }
  largest_ = std::max(largest_, batch.max_timestamp());
}

void IndexCheck::damage(std::uint64_t position, std::uint64_t length, OffsetRange offsets) {
  has_damage_ = true;
  while (next_offset_ < offsets_.size() &&
         offsets_[next_offset_].position.value() < position + length) {
    ++next_offset_;
  }
  while (next_time_ < times_.size() && times_[next_time_].offset < offsets.end) ++next_time_;
}

void IndexCheck::finish(bool is_sealed, std::vector<Finding>& findings) {
  // Entries of a batch that was not published any more are dropped when the log is opened.
  if (is_sealed && next_offset_ < offsets_.size() && !has_damage_) {
    offset_fault(next_offset_, fmt::format("points at byte {}, behind the last batch",
                                           offsets_[next_offset_].position.value()));
  }
  if (is_sealed && next_time_ < times_.size() && !has_damage_) {
    time_fault(next_time_, fmt::format("names offset {}, which is not in the segment",
                                       times_[next_time_].offset.value()));
  }
  const bool complete = !times_.empty() && times_.back().timestamp >= largest_;
  if (is_sealed && has_batches_ && !has_damage_ && largest_ != Timestamp::none() && !complete &&
      !time_file_.is_missing && time_file_.fault.empty()) {
    time_file_.fault = "does not end with the largest time";
  }
  for (const File* file : {&offset_file_, &time_file_}) {
    if (!file->fault.empty()) {
      findings.push_back({file->kind,
                          Severity::problem,
                          file->name,
                          file->position,
                          file->length,
                          {},
                          fmt::format("index {} {}; it is rebuilt from the log when it is used, or "
                                      "by `millrace log repair`",
                                      file->name, file->fault)});
    } else if (file->is_missing && has_batches_) {
      findings.push_back({file->kind,
                          Severity::note,
                          file->name,
                          0,
                          0,
                          {},
                          fmt::format("index {} is missing; it is rebuilt from the log when it is "
                                      "used",
                                      file->name)});
    } else if (is_sealed && file->has_zeros) {
      findings.push_back({file->kind,
                          Severity::note,
                          file->name,
                          0,
                          0,
                          {},
                          fmt::format("index {} of a sealed segment has unused entries; it is "
                                      "rebuilt from the log when it is used",
                                      file->name)});
    }
  }
}

void IndexCheck::name_old(std::vector<Finding>& findings) const {
  for (const File* file : {&offset_file_, &time_file_}) {
    findings.push_back({file->kind,
                        Severity::note,
                        file->name,
                        0,
                        0,
                        {},
                        fmt::format("index {} is from before an interrupted exchange of files, or "
                                    "missing; opening the log rebuilds it",
                                    file->name)});
  }
}

}  // namespace millrace::inline v0::storage
