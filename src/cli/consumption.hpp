#pragma once
#include <functional>
#include <millrace/consumer.hpp>
#include <mutex>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "record_format.hpp"
#include "standard_streams.hpp"
#include "stop_signals.hpp"

namespace millrace::inline v0::cli {

/// Where reading starts.
struct FromBeginning {};
struct FromEnd {};
/// Negative: so many before the end.
struct FromOffset {
  std::int64_t offset;
};
using Start = std::variant<FromBeginning, FromEnd, FromOffset, Timestamp>;

/// Finds the first record of a time or later; nothing if there is none.
using FindTime = std::function<Result<std::optional<Offset>>(Timestamp)>;
/// Where reading of a partition with these offsets starts; offset_out_of_range if it has no such.
Result<Offset> start_in(const TopicPartition& partition, const Offsets& offsets, const Start& start,
                        const FindTime& find_time);

struct ConsumeOptions {
  std::string topic;
  std::vector<PartitionId> partitions;  ///< none: all
  Start start = FromBeginning{};
  std::optional<std::uint64_t> max_records;
  bool exit_at_end = false;
  bool skip_damaged = false;
  Isolation isolation = Isolation::read_committed;
  std::optional<RecordFormat> format;  ///< none: JSON
};

/// Reads a topic as ConsumeOptions say and prints it.
class Consumption {
 public:
  Consumption(Broker broker, const ConsumeOptions& options, const StopSignals& stop)
      : broker_(std::move(broker)), options_(options), stop_(stop), output_(stop.descriptor()) {}

  Result<void> run();

 private:
  struct Followed {
    PartitionId id = 0;
    Offset end;  ///< with exit_at_end: where the partition ended when this began
    bool is_finished = false;
  };

  Result<void> choose_partitions();
  Result<Offset> start_of(const Partition<Bytes, Bytes>& partition) const;
  Result<bool> print_next();
  void print_all(const Records<Bytes, Bytes>& records);
  bool is_wanted(const RawRecord& record) const;
  Result<void> mark_finished();
  bool is_done() const;
  Result<void> step_over(const Error& error);
  Result<void> step_over_removed(PartitionId id);
  Result<void> look_for_changes();
  Result<void> follow(const Topic<Bytes, Bytes>& topic);

  Broker broker_;
  const ConsumeOptions& options_;
  const StopSignals& stop_;
  std::optional<Topic<Bytes, Bytes>> topic_;
  std::mutex consumer_mutex_;  // against interrupt() while it is replaced
  std::optional<Consumer<Bytes, Bytes>> consumer_;
  std::vector<Followed> followed_;
  std::uint64_t printed_ = 0;
  Output output_;
};

}  // namespace millrace::inline v0::cli
