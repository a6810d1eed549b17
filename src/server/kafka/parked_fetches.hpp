#pragma once
#include <atomic>
#include <memory>
#include <millrace/engine/partition.hpp>
#include <millrace/transport/session.hpp>
#include <mutex>
#include <set>
#include <unordered_map>
#include <vector>

namespace millrace::inline v0::server {

/// A fetch that waits for more bytes than there are.
class ParkedFetch {
 public:
  virtual ~ParkedFetch() = default;
  /// Answers if there is enough, or whatever there is if `is_last`; whether it has.
  virtual bool try_answer(bool is_last) = 0;
  virtual const std::vector<engine::PartitionPtr>& partitions() const noexcept = 0;
  /// Of which connection it is.
  virtual const void* owner() const noexcept = 0;
};
using ParkedFetchPtr = std::shared_ptr<ParkedFetch>;

/// The fetches that wait on one loop. All calls are made on that loop, but for detach().
///
/// Who appends to a partition on which one has waited calls a function that loads a flag; if one
/// waits now, the first append posts one piece of work to the loop, however many follow until that
/// is done.
class ParkedFetches : public std::enable_shared_from_this<ParkedFetches> {
 public:
  explicit ParkedFetches(transport::Loop& loop) : loop_(&loop) {}

  void park(const ParkedFetchPtr& fetch, Clock::Steady until);
  /// Forgets those of a connection that is gone.
  void drop(const void* owner);
  /// Nothing is posted to the loop any more. From any thread.
  void detach();

 private:
  struct Watch;
  struct Place {
    std::weak_ptr<engine::Partition> partition;
    std::shared_ptr<Watch> watch;
    std::set<ParkedFetchPtr> fetches;
  };

  Place& place_of(const engine::PartitionPtr& partition);
  void moved(const engine::Partition* partition);
  void post_moved(const engine::Partition* partition);
  void try_answer(const ParkedFetchPtr& fetch, bool is_last);
  void remove(const ParkedFetchPtr& fetch);

  std::mutex loop_mutex_;
  transport::Loop* loop_;  // null once detached
  std::unordered_map<const engine::Partition*, Place> places_;
  std::unordered_map<ParkedFetchPtr, transport::Loop::TimerId> waiting_;
};

}  // namespace millrace::inline v0::server
