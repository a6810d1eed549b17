#pragma once
#include <functional>
#include <map>
#include <millrace/client/cluster.hpp>
#include <millrace/core/topic_partition.hpp>
#include <millrace/protocol/messages/fetch.hpp>
#include <millrace/record/batch_view.hpp>
#include <string>
#include <vector>

namespace millrace::inline v0::client {

/// Names in brackets are Kafka's.
struct FetchOptions {
  std::chrono::milliseconds most_wait{500};     ///< [fetch.max.wait.ms]
  std::int32_t least_bytes = 1;                 ///< [fetch.min.bytes]
  std::int32_t most_bytes = 52'428'800;         ///< of an answer [fetch.max.bytes]
  std::int32_t most_partition_bytes = 1 << 20;  ///< [max.partition.fetch.bytes]
  bool committed_only = true;                   ///< [isolation.level]
  bool check_crcs = true;                       ///< [check.crcs]
};

/// Reads partitions of a topic in order. Blocking, for one thread.
class Fetcher {
 public:
  Fetcher(Cluster& cluster, protocol::MetadataResponse::Topic topic, const FetchOptions& options)
      : cluster_(cluster), topic_(std::move(topic)), options_(options) {}

  const protocol::MetadataResponse::Topic& topic() const noexcept { return topic_; }
  std::int32_t partition_count() const noexcept {
    return static_cast<std::int32_t>(topic_.partitions.size());
  }
  /// Reads that partition, too, from there on.
  void seek(std::int32_t partition, Offset offset) { positions_[partition] = offset; }
  /// Reads it no more.
  void leave(std::int32_t partition) { positions_.erase(partition); }
  Offset position(std::int32_t partition) const { return positions_.at(partition); }
  const std::map<std::int32_t, Offset>& positions() const noexcept { return positions_; }

  using Visit = std::function<void(const TopicPartition&, const record::RecordView&)>;
  /// Asks each leader once, and has `visit` called with each record from the positions on, which
  /// move behind them; the views are valid during the call. How many records that were; 0 after
  /// `most_wait` without any. Errors name the partition; offset_out_of_range and corrupt_data leave
  /// its position where it was.
  Result<std::size_t> poll(const Visit& visit);

  /// What ListOffsets has instead of a time for where a log begins and ends.
  static constexpr std::int64_t at_begin = -2;
  static constexpr std::int64_t at_end = -1;
  /// The offset of the first record at or after `time`; none if there is no such record.
  Result<std::optional<Offset>> find(std::int32_t partition, std::int64_t time);

 private:
  using Answer = protocol::FetchResponse::Partition;
  Result<void> ask(Connection& leader, const std::vector<std::int32_t>& partitions);
  Result<std::size_t> take(const Answer& answer, const Visit& visit);
  Result<std::size_t> walk(const record::BatchView& batch, const TopicPartition& name,
                           const Visit& visit);

  Cluster& cluster_;
  protocol::MetadataResponse::Topic topic_;
  const FetchOptions options_;
  std::map<std::int32_t, Offset> positions_;
  std::vector<std::byte> scratch_;
  bool is_outdated_ = false;  // who leads what
};

}  // namespace millrace::inline v0::client
