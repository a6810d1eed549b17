#pragma once
#include <functional>
#include <millrace/os/directory.hpp>
#include <millrace/record/batch_header.hpp>
#include <mutex>
#include <optional>
#include <vector>

namespace millrace::inline v0::engine {

/// Gives out producer ids (KIP-98), each of them once for all time of a data directory: from blocks
/// that are noted in the file `producer-ids`, durably, before the first id of a block is given out.
/// What a crash or close() leaves of a block is never used. Thread-safe.
///
/// An id that is given back goes to the next who asks, at a higher epoch: so many short-lived
/// producers do not fill the logs, which remember every id for a while.
class ProducerIds {
 public:
  static constexpr const char* file_name = "producer-ids";
  static constexpr std::int64_t block_size = 1000;
  /// An id that had this epoch is not used again; Kafka's limit.
  static constexpr std::int16_t largest_epoch = 32766;

  /// Ids below were given out or may have been; 0 without a file. corrupt_data if it is damaged.
  static Result<std::int64_t> read(const os::DirectoryPtr& directory);

  /// `largest_known` is asked before a block is reserved: the largest producer id that any log
  /// knows, or -1. Blocks begin behind it, whatever the file says. Called with a lock held: it must
  /// not call this object. Touches no file.
  ProducerIds(os::DirectoryPtr directory, std::function<std::int64_t()> largest_known);

  /// An id and an epoch that nobody has, with base sequence 0. corrupt_data if the file is damaged,
  /// closed after close(), and the errors of writing the file; then nothing was taken.
  Result<record::ProducerIdentity> take();
  /// Somebody has this id, though no log may know it: none up to it is given out from here on.
  void note(std::int64_t id);
  /// For who will not append under `identity` any more.
  void give_back(const record::ProducerIdentity& identity);
  /// Nothing is written from here on.
  void close();

 private:
  Result<void> reserve_block();

  const os::DirectoryPtr directory_;
  const std::function<std::int64_t()> largest_known_;
  std::mutex mutex_;
  bool closed_ = false;
  std::optional<std::int64_t> reserved_;  // ids below; nothing: the file is not read yet
  std::int64_t noted_ = -1;
  std::int64_t next_ = 0;  // of the block; no block if it is its end
  std::int64_t end_ = 0;
  std::vector<record::ProducerIdentity> returned_;  // with the epoch that comes next
};

}  // namespace millrace::inline v0::engine
