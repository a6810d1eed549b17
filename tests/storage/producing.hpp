#pragma once
#include <millrace/storage/control_file.hpp>
#include <millrace/storage/file_names.hpp>
#include <millrace/storage/log.hpp>
#include <set>

#include "storage/producer_fixture.hpp"

namespace millrace::test {

using Offsets = std::set<std::int64_t>;

inline storage::LogOptions visible_at_once() {
  storage::LogOptions options;
  options.visible_on_append = true;
  return options;
}

inline Offsets files(const os::DirectoryPtr& directory, std::string_view suffix) {
  Offsets offsets;
  const auto entries = directory->list().value();
  for (const auto& entry : entries) {
    if (const auto offset = storage::parse_file_name(entry.name, suffix)) {
      offsets.insert(offset->value());
    }
  }
  return offsets;
}
inline Offsets snapshots(const os::DirectoryPtr& directory) {
  return files(directory, storage::snapshot_suffix);
}
inline std::string snapshot_name(std::int64_t offset) {
  return storage::file_name(Offset{offset}, storage::snapshot_suffix);
}

inline void damage(const os::DirectoryPtr& directory, const std::string& name,
                   std::uint64_t position) {
  auto file = directory->open(name, os::OpenMode::read_write).value();
  std::byte byte{};
  file.read_at({&byte, 1}, position).value();
  byte ^= std::byte{1};
  file.write_at({&byte, 1}, position).value();
}

/// As if the machine had been restarted since.
inline void restart_machine(const os::DirectoryPtr& directory) {
  storage::ControlFile::open_owner(directory).value().block().active_file[0].fetch_add(1);
}

inline bool is_duplicate_at(storage::Log& log, const ProducerBatch& batch, std::int64_t base) {
  const Offset end = log.log_end_offset();
  const auto again = try_append(log, batch).value();
  return again.is_duplicate && again.base_offset == Offset{base} &&
         again.next_offset == Offset{base + static_cast<std::int64_t>(batch.count)} &&
         log.log_end_offset() == end;
}

inline Errc refusal(storage::Log& log, const ProducerBatch& batch) {
  const auto appended = try_append(log, batch);
  return appended ? Errc{} : appended.error().code();
}

/// A log on disk with producers, which is closed or killed and opened again.
struct Producing {
  Place place{false};
  storage::LogOptions options = visible_at_once();
  testing::ManualClock clock;
  std::unique_ptr<storage::Log> log = open_log(place.directory, options, clock);
  std::int32_t next_sequence = 0;

  /// Batches of two records each.
  void send(int count, std::int64_t id = 7) {
    for (int i = 0; i < count; ++i, next_sequence += 2) {
      try_append(*log, ProducerBatch{.id = id, .sequence = next_sequence, .count = 2}).value();
    }
  }
  storage::RecoveryKind reopen() {
    log.reset();
    log = open_log(place.directory, options, clock);
    return log->recovery().kind;
  }
  void close() {
    log->close().value();
    log.reset();
  }
  /// Whether the last batch is known again and the next one is taken.
  bool goes_on() {
    const ProducerBatch last{.sequence = next_sequence - 2, .count = 2};
    const auto again = try_append(*log, last);
    if (!again || !again->is_duplicate) return false;
    if (refusal(*log, {.sequence = next_sequence + 1}) != Errc::out_of_order_sequence) return false;
    send(1);
    return true;
  }
};

}  // namespace millrace::test
