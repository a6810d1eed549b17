#include "server/kafka/parked_fetches.hpp"

namespace millrace::inline v0::server {

/// What a partition calls. `is_armed` says that somebody waits and nothing is posted yet.
struct ParkedFetches::Watch {
  std::atomic<bool> is_armed{false};
  std::weak_ptr<ParkedFetches> parked;
};

ParkedFetches::Place& ParkedFetches::place_of(const engine::PartitionPtr& partition) {
  const auto known = places_.find(partition.get());
  if (known != places_.end() && known->second.partition.lock() == partition) return known->second;
  std::erase_if(places_, [](const auto& entry) { return entry.second.partition.expired(); });
  Place& place = places_[partition.get()];
  place.partition = partition;
  place.watch = std::make_shared<Watch>();
  place.watch->parked = weak_from_this();
  partition->watch([watch = place.watch, at = partition.get()] {
    if (!watch->is_armed.load(std::memory_order_relaxed)) return;
    if (!watch->is_armed.exchange(false)) return;
    if (const auto parked = watch->parked.lock()) parked->post_moved(at);
  });
  return place;
}

void ParkedFetches::post_moved(const engine::Partition* partition) {
  const std::lock_guard lock(loop_mutex_);
  if (loop_ == nullptr) return;
  loop_->post([weak = weak_from_this(), partition] {
    if (const auto self = weak.lock()) self->moved(partition);
  });
}

void ParkedFetches::park(const ParkedFetchPtr& fetch, Clock::Steady until) {
  const auto timer = loop_->call_at(until, [this, weak = std::weak_ptr(fetch)] {
    if (const auto late = weak.lock()) try_answer(late, true);
  });
  waiting_.emplace(fetch, timer);
  for (const auto& partition : fetch->partitions()) {
    Place& place = place_of(partition);
    place.fetches.insert(fetch);
    place.watch->is_armed.store(true);
  }
  // What was appended before it was armed is found by looking, what comes later calls the watch:
  // the fence makes one of the two true, with that of the publisher.
  std::atomic_thread_fence(std::memory_order_seq_cst);
  try_answer(fetch, false);
}

void ParkedFetches::moved(const engine::Partition* partition) {
  const auto found = places_.find(partition);
  if (found == places_.end() || found->second.fetches.empty()) return;
  found->second.watch->is_armed.store(true);
  std::atomic_thread_fence(std::memory_order_seq_cst);
  const std::vector<ParkedFetchPtr> fetches(found->second.fetches.begin(),
                                            found->second.fetches.end());
  for (const auto& fetch : fetches) try_answer(fetch, false);
}

void ParkedFetches::try_answer(const ParkedFetchPtr& fetch, bool is_last) {
  if (waiting_.count(fetch) != 0 && fetch->try_answer(is_last)) remove(fetch);
}

void ParkedFetches::remove(const ParkedFetchPtr& fetch) {
  const auto found = waiting_.find(fetch);
  if (found == waiting_.end()) return;
  loop_->cancel(found->second);
  const ParkedFetchPtr kept = fetch;  // the argument may be the key that goes
  waiting_.erase(found);
  for (const auto& partition : kept->partitions()) {
    const auto place = places_.find(partition.get());
    if (place == places_.end()) continue;
    place->second.fetches.erase(kept);
    if (place->second.fetches.empty()) place->second.watch->is_armed.store(false);
  }
}

void ParkedFetches::drop(const void* owner) {
  std::vector<ParkedFetchPtr> gone;
  for (const auto& [fetch, timer] : waiting_) {
    if (fetch->owner() == owner) gone.push_back(fetch);
  }
  for (const auto& fetch : gone) remove(fetch);
}

void ParkedFetches::detach() {
  const std::lock_guard lock(loop_mutex_);
  loop_ = nullptr;
}

}  // namespace millrace::inline v0::server
