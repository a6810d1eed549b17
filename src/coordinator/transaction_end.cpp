#include <algorithm>
#include <millrace/coordinator/transaction_coordinator.hpp>
#include <millrace/coordinator/transaction_records.hpp>

// What follows on writes, markers, time and a restart.

namespace millrace::inline v0::coordinator {

void TransactionCoordinator::written(WriteId id, const Result<void>& result, const Now& now,
                                     TransactionActions& actions) {
  const auto node = pending_.extract(id);
  if (!node) return;
  const Pending& pending = node.mapped();
  Place& place = *entries_.find(pending.transactional_id);
  Entry& entry = place.second;
  if (pending.purpose == Purpose::complete) {
    if (result) {
      entry.current = *std::exchange(entry.next, std::nullopt);
      completed(place, now, actions);
      return;
    }
    entry.next.reset();
    put_off(place, now, actions);
    return;
  }
  if (pending.purpose == Purpose::prepare || pending.purpose == Purpose::prepare_and_mark ||
      pending.purpose == Purpose::decide) {
    prepared(place, pending, result, now, actions);
    return;
  }
  Transaction next = *std::exchange(entry.next, std::nullopt);
  const bool begins = result && next.is_ongoing() && !entry.current.is_ongoing();
  if (result) entry.current = std::move(next);
  if (begins) set_due(place, now.steady + entry.current.timeout);
  if (pending.purpose == Purpose::add) {
    actions.replies.push_back({*pending.token, result});
  } else if (result) {
    entry.fence_failed = false;
    actions.inits.push_back({*pending.token, entry.current.producer});
  } else {
    actions.inits.push_back({*pending.token, result.error()});
  }
  const auto waiting = std::exchange(entry.waiting, {});
  if (entry.current.producer.id < 0) entries_.erase(entries_.find(pending.transactional_id));
  for (const Waiting& one : waiting) init_producer(one.request, one.token, now, actions);
}

void TransactionCoordinator::prepared(Place& place, const Pending& pending,
                                      const Result<void>& result, const Now& now,
                                      TransactionActions& actions) {
  Entry& entry = place.second;
  if (!result && pending.purpose == Purpose::decide && result.error().code() == Errc::log_failed) {
    doubt(place, *pending.token, result.error(), actions);
    return;
  }
  Transaction next = *std::exchange(entry.next, std::nullopt);
  if (!result) {
    entry.current.state = TransactionState::ongoing;
    entry.current.ends.clear();
    set_due(place, std::max(now.steady + options_.retry_delay, entry.due.value_or(now.steady)));
    if (pending.token) actions.replies.push_back({*pending.token, result});
    for (const Waiting& one : std::exchange(entry.waiting, {})) {
      actions.inits.push_back({one.token, result.error()});
    }
    return;
  }
  entry.current = std::move(next);
  if (pending.purpose != Purpose::prepare) {
    entry.ending.push_back(*pending.token);
  } else if (pending.token) {
    actions.replies.push_back({*pending.token, {}});
  }
  if (pending.purpose == Purpose::decide) {
    complete(place, now, actions);
    return;
  }
  entry.unmarked.assign(entry.current.partitions.begin(), entry.current.partitions.end());
  mark(place, actions);
}

/// It stays busy: whoever ended it the other way could be wrong after a restart.
void TransactionCoordinator::doubt(Place& place, Token token, const Error& why,
                                   TransactionActions& actions) {
  Entry& entry = place.second;
  set_due(place, std::nullopt);
  entry.doubt = why;
  actions.replies.push_back({token, why});
  for (const Waiting& one : std::exchange(entry.waiting, {})) {
    actions.inits.push_back({one.token, why});
  }
}

void TransactionCoordinator::mark(Place& place, TransactionActions& actions) {
  set_due(place, std::nullopt);
  Entry& entry = place.second;
  const WriteId id{++last_write_};
  entry.marking = id;
  marking_.emplace(id, place.first);
  const bool is_commit = entry.current.state == TransactionState::prepare_commit;
  actions.markers.push_back({id, entry.current.producer, is_commit, entry.unmarked,
                             entry.current.ends, entry.is_durable});
}

void TransactionCoordinator::marked(WriteId id, const std::vector<TopicPartition>& missing,
                                    const Now& now, TransactionActions& actions) {
  const auto node = marking_.extract(id);
  if (!node) return;
  Place& place = *entries_.find(node.mapped());
  Entry& entry = place.second;
  entry.marking.reset();
  entry.unmarked = missing;
  if (missing.empty()) {
    complete(place, now, actions);
    return;
  }
  put_off(place, now, actions);
}

/// What stands in the way may last: nobody waits for it. The outcome is decided all the same.
void TransactionCoordinator::put_off(Place& place, const Now& now, TransactionActions& actions) {
  answer_enders(place.second, actions);
  for (const Waiting& one : std::exchange(place.second.waiting, {})) {
    actions.inits.push_back(
        {one.token, Error(Errc::concurrent_transactions,
                          "transactional id " + place.first +
                              ": the end of its last transaction cannot be written to all its "
                              "partitions yet; see to the disk, and try again")});
  }
  set_due(place, now.steady + options_.retry_delay);
}

/// Tries again what was put off.
void TransactionCoordinator::go_on(Place& place, const Now& now, TransactionActions& actions) {
  const Entry& entry = place.second;
  if (!entry.current.is_decided() || entry.next || entry.marking) return;
  if (entry.unmarked.empty()) {
    complete(place, now, actions);
  } else {
    mark(place, actions);
  }
}

void TransactionCoordinator::complete(Place& place, const Now& now, TransactionActions& actions) {
  set_due(place, std::nullopt);
  Transaction next = place.second.current;
  const bool is_commit = next.state == TransactionState::prepare_commit;
  next.state = is_commit ? TransactionState::complete_commit : TransactionState::complete_abort;
  next.partitions.clear();
  next.ends.clear();
  next.updated = now.wall;
  write(place, std::move(next), {place.first, Purpose::complete, std::nullopt}, actions);
}

void TransactionCoordinator::completed(Place& place, const Now& now, TransactionActions& actions) {
  Entry& entry = place.second;
  entry.fence_failed = false;
  entry.is_durable = true;
  answer_enders(entry, actions);
  for (const Waiting& one : std::exchange(entry.waiting, {})) {
    init_producer(one.request, one.token, now, actions);
  }
}

void TransactionCoordinator::answer_enders(Entry& entry, TransactionActions& actions) {
  for (const Token token : std::exchange(entry.ending, {})) actions.replies.push_back({token, {}});
}

void TransactionCoordinator::set_due(Place& place, std::optional<Steady> due) {
  auto& [id, entry] = place;
  if (entry.due) timers_.erase({*entry.due, id});
  entry.due = due;
  if (due) timers_.emplace(*due, id);
}

void TransactionCoordinator::tick(const Now& now, TransactionActions& actions) {
  while (!timers_.empty() && timers_.begin()->first <= now.steady) {
    Place& place = *entries_.find(timers_.begin()->second);
    Entry& entry = place.second;
    set_due(place, std::nullopt);
    if (entry.next) {
      set_due(place, now.steady + options_.retry_delay);
    } else if (entry.current.is_ongoing()) {
      fence(place, {place.first, Purpose::prepare, std::nullopt}, now, actions);
    } else {
      go_on(place, now, actions);
    }
  }
  if (next_expiry_ && *next_expiry_ <= now.steady) {
    expire(now, actions);
    next_expiry_.reset();
  }
  if (!next_expiry_ && !entries_.empty()) {
    next_expiry_ = now.steady + options_.expiration_check_interval;
  }
}

std::optional<Clock::Steady> TransactionCoordinator::next_deadline() const {
  if (timers_.empty()) return next_expiry_;
  const Steady first = timers_.begin()->first;
  return next_expiry_ ? std::min(first, *next_expiry_) : first;
}

void TransactionCoordinator::expire(const Now& now, TransactionActions& actions) {
  for (auto at = entries_.begin(); at != entries_.end();) {
    const Entry& entry = at->second;
    const bool in_use = entry.is_busy() || entry.current.is_ongoing();
    if (in_use || now.wall - entry.current.updated < options_.id_expiration) {
      ++at;
      continue;
    }
    actions.writes.push_back({WriteId{++last_write_}, at->first, transaction_tombstone(at->first),
                              TransactionWrite::Until::eventually});
    at = entries_.erase(at);
  }
}

Result<void> TransactionCoordinator::load(Bytes key, std::optional<Bytes> value) {
  MILLRACE_TRY(const auto id, parse_transaction_key(key));
  if (!id) return {};
  if (!value) {
    if (const auto found = entries_.find(*id); found != entries_.end()) entries_.erase(found);
    return {};
  }
  MILLRACE_TRY(Transaction known, parse_transaction(*value));
  if (known.state < TransactionState::empty || known.state > TransactionState::dead) {
    return Error(Errc::corrupt_data,
                 "transactional id " + std::string(*id) + " has a state " +
                     std::to_string(static_cast<int>(known.state)) +
                     " that there is not; it keeps the one before; millrace log verify tells more");
  }
  entries_[std::string(*id)].current = std::move(known);
  return {};
}

void TransactionCoordinator::loaded(const Now& now, TransactionActions& actions) {
  for (Place& place : entries_) {
    Entry& entry = place.second;
    if (entry.current.is_decided()) {
      entry.unmarked.assign(entry.current.partitions.begin(), entry.current.partitions.end());
      mark(place, actions);
    } else if (entry.current.is_ongoing() && options_.aborts_when_loaded) {
      fence(place, {place.first, Purpose::prepare, std::nullopt}, now, actions);
    } else if (entry.current.is_ongoing()) {
      const auto open_for = std::max(now.wall - entry.current.started, Milliseconds(0));
      set_due(place,
              now.steady + entry.current.timeout - std::min(open_for, entry.current.timeout));
    }
  }
  if (!entries_.empty()) next_expiry_ = now.steady + options_.expiration_check_interval;
}

}  // namespace millrace::inline v0::coordinator
