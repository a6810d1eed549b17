#pragma once
#include <atomic>
#include <condition_variable>
#include <deque>
#include <memory>
#include <millrace/client/owner_link.hpp>
#include <millrace/engine/partition.hpp>
#include <millrace/producer.hpp>
#include <mutex>
#include <vector>

namespace millrace::inline v0::detail {

class Lane;

/// One batch from its first record to its acknowledgement. Shared by the lane and the receipts.
struct SentBatch {
  std::shared_ptr<Lane> lane;
  // Bit 0: done. The rest counts calls for somebody to lead; see Lane::hand_over().
  std::atomic<std::uint32_t> state{0};
  std::atomic<std::uint32_t> sleepers{0};
  // Set before it is done, constant after that.
  Offset base_offset;
  Offset next_offset;
  Timestamp append_time = Timestamp::none();
  Durability durability = Durability::written;
  std::optional<Error> error;
  // Guarded by the lane's lock until it is done.
  std::vector<Timestamp> timestamps;
  std::vector<std::pair<std::int32_t, DeliveryCallback>> callbacks;
  std::size_t bytes = 0;

  bool is_done() const noexcept { return (state.load(std::memory_order_acquire) & 1) != 0; }
  Result<Receipt> receipt(std::int32_t index) const;
};

/// What all lanes of a producer share.
struct LaneContext {
  std::shared_ptr<engine::BrokerCore> broker;
  ProducerOptions options;
  std::atomic<std::size_t> buffered_bytes{0};
  std::mutex error_mutex;
  std::optional<Error> first_error;
  std::mutex identity_mutex;
  std::string owner_socket;  ///< of an attachment; empty if it has none
  record::ProducerIdentity identity;
  bool is_transactional = false;  ///< the identity is another's

  void note(const Error& error);
  /// The first error since it was last asked for.
  Result<void> take_error();
  /// The producer's id and epoch, taken when it is first asked for.
  Result<record::ProducerIdentity> identify();
  /// When no lane will append any more.
  void give_identity_back();
};

/// The producer's side of one partition: the batch that is gathering, and those that wait for their
/// acknowledgement, in order. Thread-safe. Whoever waits does the work (appends, syncs) if nobody
/// else is at it, so that a lone sender never changes threads, and many senders share a sync: what
/// gathers while one sync runs becomes the next batch.
class Lane : public std::enable_shared_from_this<Lane> {
 public:
  Lane(std::shared_ptr<engine::Partition> partition, std::shared_ptr<LaneContext> context);
  /// To a partition that another process owns, who is asked to append. There is one batch under way
  /// at a time, during which the next one gathers.
  Lane(std::shared_ptr<engine::PartitionReader> partition, const engine::TopicConfig& config,
       std::shared_ptr<LaneContext> context);

  struct Sent {
    std::shared_ptr<SentBatch> batch;
    std::int32_t index = 0;
  };
  /// Adds a record to the gathering batch; appends that first if the record does not fit.
  Result<Sent> add(const OutgoingRecord& record, DeliveryCallback callback);
  /// Returns when `batch` is done.
  void wait_for(SentBatch& batch);
  /// Returns when everything added before is appended, or has failed.
  void push();
  /// Returns when everything added before is done and its callbacks have returned.
  void drain();
  PartitionId partition_id() const noexcept { return reader_->id(); }
  /// The number of the last transaction that the partition is part of.
  std::atomic<std::uint64_t>& admitted_in() noexcept { return admitted_in_; }

 private:
  using Lock = std::unique_lock<std::mutex>;
  Result<void> open_batch();
  Result<void> check(const OutgoingRecord& record);
  void dispatch(Lock& lock);
  void dispatch_to_owner(Lock& lock);
  void lead(Lock& lock, const SentBatch* own);
  bool sync_appended(Lock& lock);
  void hand_over();
  void finish(Lock& lock, const std::shared_ptr<SentBatch>& batch,
              const std::optional<Error>& error);
  void finish_all(Lock& lock, const std::vector<std::shared_ptr<SentBatch>>& batches,
                  const std::optional<Error>& error);
  void arm_timer();
  void plan(std::chrono::nanoseconds wait, bool Lane::*planned);
  void take_turn(bool Lane::*planned);

  std::shared_ptr<engine::PartitionReader> reader_;
  std::shared_ptr<engine::Partition> partition_;  // null if another process owns it
  std::unique_ptr<client::OwnerLink> owner_;      // then
  bool needs_new_id_ = false;                     // nobody knows what the old one has appended
  std::shared_ptr<SentBatch> at_owner_;           // until it is acknowledged
  std::condition_variable owner_answered_;
  std::shared_ptr<LaneContext> context_;
  std::size_t batch_bytes_ = 0;
  record::BatchOptions batch_options_;  // with what identifies the gathering batch
  std::mutex mutex_;
  std::mutex delivery_mutex_;  // held during callbacks, so that they come in order; after mutex_
  record::BatchBuilder builder_;
  std::shared_ptr<SentBatch> gathering_;
  std::deque<std::shared_ptr<SentBatch>> appended_;
  std::atomic<std::uint64_t> admitted_in_{0};
  std::atomic<bool> leading_{false};  // changes under the lock
  bool timer_armed_ = false;
  bool turn_planned_ = false;  // for what a turn of the schedule left over
  bool timer_missed_ = false;  // the linger time ended while somebody was leading
};

}  // namespace millrace::inline v0::detail
