#include <algorithm>
#include <limits>
#include <millrace/coordinator/transaction_coordinator.hpp>
#include <millrace/coordinator/transaction_records.hpp>

namespace millrace::inline v0::coordinator {
namespace {

Error refused(Errc code, std::string_view transactional_id, std::string_view why) {
  return {code, "transactional id " + std::string(transactional_id) + ": " + std::string(why)};
}

Error fenced(std::string_view transactional_id, ProducerEpoch known) {
  return refused(Errc::producer_fenced, transactional_id,
                 "another instance has taken over, or the transaction's time was out (producer " +
                     std::to_string(known.id) + " is at epoch " + std::to_string(known.epoch) +
                     " now); close this one, and open another if it is to go on");
}

Error concurrent(std::string_view transactional_id) {
  return refused(Errc::concurrent_transactions, transactional_id,
                 "its last transaction is still being ended; try again");
}

Error unknown(std::string_view transactional_id) {
  return refused(Errc::unknown_transactional_id, transactional_id,
                 "it is not known (any more); open a producer with it first");
}

}  // namespace

std::string_view to_string(TransactionState state) noexcept {
  switch (state) {
    case TransactionState::empty:
      return "Empty";
    case TransactionState::ongoing:
      return "Ongoing";
    case TransactionState::prepare_commit:
      return "PrepareCommit";
    case TransactionState::prepare_abort:
      return "PrepareAbort";
    case TransactionState::complete_commit:
      return "CompleteCommit";
    case TransactionState::complete_abort:
      return "CompleteAbort";
    case TransactionState::dead:
      return "Dead";
    case TransactionState::prepare_epoch_fence:
      return "PrepareEpochFence";
  }
  return "";
}

TransactionCoordinator::TransactionCoordinator(const TransactionCoordinatorOptions& options,
                                               ProducerIdSource ids)
    : options_(options), ids_(std::move(ids)) {}

Result<TransactionCoordinator::Place*> TransactionCoordinator::find(
    const TransactionalProducerId& from) {
  const auto found = entries_.find(from.transactional_id);
  if (found == entries_.end()) return unknown(from.transactional_id);
  const ProducerEpoch known = found->second.current.producer;
  if (known != from.producer) return fenced(from.transactional_id, known);
  if (found->second.doubt) return *found->second.doubt;
  return &*found;
}

Result<void> TransactionCoordinator::check(const InitProducerRequest& request) const {
  if (request.transactional_id.empty()) {
    return Error(Errc::invalid_argument,
                 "a transactional id must not be empty; give each instance of the program its own");
  }
  if (request.timeout > Milliseconds(0) && request.timeout <= options_.max_timeout) return {};
  return refused(Errc::invalid_argument, request.transactional_id,
                 "a transaction timeout of " + std::to_string(request.timeout.count()) +
                     " ms is not within 1 to " + std::to_string(options_.max_timeout.count()) +
                     " ms (transaction.max.timeout.ms)");
}

void TransactionCoordinator::init_producer(const InitProducerRequest& request, Token token,
                                           const Now& now, TransactionActions& actions) {
  if (auto good = check(request); !good) {
    actions.inits.push_back({token, std::move(good).error()});
    return;
  }
  Place& place = *entries_.try_emplace(request.transactional_id).first;
  Entry& entry = place.second;
  const Transaction& current = entry.current;
  const bool was_used = current.producer.id >= 0;
  if (was_used && request.current && request.current != current.producer &&
      request.current != entry.last) {
    actions.inits.push_back({token, fenced(place.first, current.producer)});
    return;
  }
  if (entry.doubt) {
    actions.inits.push_back({token, *entry.doubt});
    return;
  }
  const bool must_wait = entry.is_busy() || current.is_ongoing();
  if (must_wait && request.waits) {
    entry.waiting.push_back({request, token});
  } else if (must_wait) {
    actions.inits.push_back({token, concurrent(place.first)});
  }
  if (!entry.is_busy() && current.is_ongoing()) {
    fence(place, {place.first, Purpose::prepare, std::nullopt}, now, actions);
  }
  go_on(place, now, actions);
  if (!must_wait) give_producer(place, request, token, now, actions);
}

void TransactionCoordinator::give_producer(Place& place, const InitProducerRequest& request,
                                           Token token, const Now& now,
                                           TransactionActions& actions) {
  Entry& entry = place.second;
  const ProducerEpoch known = entry.current.producer;
  if (known.id >= 0 && request.current && request.current == entry.last) {
    actions.inits.push_back({token, known});  // asked once more
    return;
  }
  Transaction next;
  next.timeout = request.timeout;
  next.updated = now.wall;
  next.producer = {known.id, static_cast<std::int16_t>(known.epoch + 1)};
  if (known.id < 0 || known.epoch >= largest_epoch) {
    auto fresh = ids_();
    if (!fresh) {
      if (known.id < 0) entries_.erase(place.first);
      actions.inits.push_back({token, std::move(fresh).error()});
      return;
    }
    next.producer = *fresh;
  }
  entry.last = request.current ? known : ProducerEpoch{};
  write(place, std::move(next), {place.first, Purpose::init, token}, actions);
}

void TransactionCoordinator::write(Place& place, Transaction next, Pending pending,
                                   TransactionActions& actions) {
  using Until = TransactionWrite::Until;
  Until until = Until::eventually;
  if (pending.purpose == Purpose::init) {
    until = Until::synced;
  } else if (pending.purpose == Purpose::prepare || pending.purpose == Purpose::prepare_and_mark) {
    until = place.second.is_durable ? Until::synced : Until::appended;
  }
  const WriteId id{++last_write_};
  actions.writes.push_back({id, place.first, transaction_record(place.first, next), until});
  place.second.next = std::move(next);
  pending_.emplace(id, std::move(pending));
}

void TransactionCoordinator::add_partitions(const TransactionalProducerId& from,
                                            const std::vector<TopicPartition>& partitions,
                                            Token token, const Now& now,
                                            TransactionActions& actions) {
  auto place = find(from);
  if (!place) {
    actions.replies.push_back({token, std::move(place).error()});
    return;
  }
  const Entry& entry = (*place)->second;
  if (entry.is_busy()) {
    actions.replies.push_back({token, concurrent(from.transactional_id)});
    go_on(**place, now, actions);
    return;
  }
  Transaction next = entry.current;
  if (!next.is_ongoing()) {
    next.state = TransactionState::ongoing;
    next.started = now.wall;
  }
  next.partitions.insert(partitions.begin(), partitions.end());
  if (entry.current.is_ongoing() && next.partitions.size() == entry.current.partitions.size()) {
    actions.replies.push_back({token, {}});
    return;
  }
  next.updated = now.wall;
  write(**place, std::move(next), {from.transactional_id, Purpose::add, token}, actions);
}

Result<void> TransactionCoordinator::verify(const TransactionalProducerId& from,
                                            const TopicPartition& partition) const {
  const Transaction* const known = transaction(from.transactional_id);
  if (known == nullptr) return unknown(from.transactional_id);
  if (known->producer != from.producer) return fenced(from.transactional_id, known->producer);
  if (known->state == TransactionState::ongoing && known->partitions.contains(partition)) return {};
  return Error(refused(Errc::invalid_transaction_state, from.transactional_id,
                       "the partition is not part of an open transaction; add it first"))
      .at(partition.topic, partition.partition);
}

void TransactionCoordinator::end(const EndTransactionRequest& request, Token token, const Now& now,
                                 TransactionActions& actions) {
  const std::string& id = request.from.transactional_id;
  auto place = find(request.from);
  if (!place) {
    actions.replies.push_back({token, std::move(place).error()});
    return;
  }
  Entry& entry = (*place)->second;
  const TransactionState state = entry.current.state;
  const bool had_this = state == (request.is_commit ? TransactionState::complete_commit
                                                    : TransactionState::complete_abort);
  const bool gets_this = state == (request.is_commit ? TransactionState::prepare_commit
                                                     : TransactionState::prepare_abort);
  if (entry.next || (gets_this && !request.waits_for_markers)) {
    actions.replies.push_back({token, concurrent(id)});
  } else if (gets_this) {
    entry.ending.push_back(token);
    go_on(**place, now, actions);
  } else if (entry.current.is_ongoing()) {
    end_open(**place, request, token, now, actions);
  } else if (had_this) {
    actions.replies.push_back({token, {}});
  } else {
    actions.replies.push_back(
        {token, refused(Errc::invalid_transaction_state, id,
                        std::string(request.is_commit ? "committing" : "aborting") +
                            " a transaction that is " + std::string(to_string(state)) +
                            "; begin one, and end it once")});
  }
}

void TransactionCoordinator::end_open(Place& place, const EndTransactionRequest& request,
                                      Token token, const Now& now, TransactionActions& actions) {
  Entry& entry = place.second;
  if (request.marker_decides && entry.current.partitions.size() != 1) {
    actions.replies.push_back({token, concurrent(place.first)});
    return;
  }
  entry.is_durable = request.is_durable;
  if (request.is_commit) entry.current.ends = request.ends;
  if (!request.marker_decides) {
    const auto purpose = request.waits_for_markers ? Purpose::prepare_and_mark : Purpose::prepare;
    prepare(place, request.is_commit, {place.first, purpose, token}, now, actions);
    return;
  }
  entry.next = entry.current;
  entry.next->state =
      request.is_commit ? TransactionState::prepare_commit : TransactionState::prepare_abort;
  const WriteId id{++last_write_};
  pending_.emplace(id, Pending{place.first, Purpose::decide, token});
  actions.markers.push_back({id,
                             entry.current.producer,
                             request.is_commit,
                             {*entry.current.partitions.begin()},
                             {},
                             request.is_durable,
                             true});
}

void TransactionCoordinator::abort(const std::string& transactional_id, Token token, const Now& now,
                                   TransactionActions& actions) {
  const auto found = entries_.find(transactional_id);
  if (found == entries_.end()) {
    actions.replies.push_back({token, unknown(transactional_id)});
  } else if (found->second.doubt) {
    actions.replies.push_back({token, *found->second.doubt});
  } else if (found->second.is_busy()) {
    actions.replies.push_back({token, concurrent(transactional_id)});
  } else if (!found->second.current.is_ongoing()) {
    actions.replies.push_back(
        {token, refused(Errc::invalid_transaction_state, transactional_id,
                        "there is nothing to abort: its last transaction is " +
                            std::string(to_string(found->second.current.state)))});
  } else {
    fence(*found, {transactional_id, Purpose::prepare_and_mark, token}, now, actions);
  }
}

/// Nobody but the coordinator ends the transaction from here on.
void TransactionCoordinator::fence(Place& place, Pending pending, const Now& now,
                                   TransactionActions& actions) {
  Entry& entry = place.second;
  std::int16_t& epoch = entry.current.producer.epoch;
  const bool is_raised = std::exchange(entry.fence_failed, true);
  if (!is_raised && epoch < std::numeric_limits<std::int16_t>::max()) ++epoch;
  entry.current.state = TransactionState::prepare_epoch_fence;
  entry.current.ends.clear();
  entry.is_durable = true;
  prepare(place, false, std::move(pending), now, actions);
}

void TransactionCoordinator::prepare(Place& place, bool is_commit, Pending pending, const Now& now,
                                     TransactionActions& actions) {
  Transaction next = place.second.current;
  next.state = is_commit ? TransactionState::prepare_commit : TransactionState::prepare_abort;
  next.updated = now.wall;
  write(place, std::move(next), std::move(pending), actions);
}

const Transaction* TransactionCoordinator::transaction(std::string_view transactional_id) const {
  const auto found = entries_.find(transactional_id);
  return found == entries_.end() ? nullptr : &found->second.current;
}

std::vector<std::pair<std::string, const Transaction*>> TransactionCoordinator::transactions()
    const {
  std::vector<std::pair<std::string, const Transaction*>> all;
  for (const auto& [id, entry] : entries_) all.emplace_back(id, &entry.current);
  return all;
}

bool TransactionCoordinator::owns(std::int64_t producer_id, const TopicPartition& partition,
                                  Offset first) const {
  return std::any_of(entries_.begin(), entries_.end(), [&](const Place& place) {
    const Transaction& known = place.second.current;
    if (known.producer.id != producer_id || !known.partitions.contains(partition)) return false;
    const auto end = known.ends.find(partition);
    return end == known.ends.end() || first < end->second;
  });
}

}  // namespace millrace::inline v0::coordinator
