#pragma once
#include <memory>
#include <millrace/engine/partition.hpp>
#include <millrace/storage/attached_log.hpp>
#include <string>

namespace millrace::inline v0::engine {

/// A partition that another process owns, read through its directory. Thread-safe.
class AttachedPartition final : public PartitionReader {
 public:
  static Result<std::shared_ptr<AttachedPartition>> open(std::string topic, PartitionId id,
                                                         os::DirectoryPtr directory) {
    MILLRACE_TRY(auto log, storage::AttachedLog::open(std::move(directory)));
    return std::shared_ptr<AttachedPartition>(
        new AttachedPartition(std::move(topic), id, std::move(log)));
  }

  storage::SegmentSource& source() noexcept override { return *log_; }
  Offset visible_end() const noexcept override { return log_->visible_end(); }
  Offset written_end() const noexcept override { return log_->written_end(); }
  storage::ControlBlock* wake_flag() noexcept override { return log_->wake_flag(); }

 private:
  AttachedPartition(std::string topic, PartitionId id, std::unique_ptr<storage::AttachedLog> log)
      : PartitionReader({std::move(topic), id}), log_(std::move(log)) {}

  std::unique_ptr<storage::AttachedLog> log_;
};

}  // namespace millrace::inline v0::engine
