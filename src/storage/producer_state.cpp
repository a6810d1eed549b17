#include <fmt/format.h>

#include <algorithm>
#include <limits>
#include <millrace/storage/producer_state.hpp>

namespace millrace::inline v0::storage {
namespace {

using record::BatchView;

constexpr std::int64_t sequence_count = std::int64_t{1} << 31;

std::int32_t last_sequence_of(const BatchView& batch) noexcept {
  return sequence_plus(batch.producer().base_sequence, batch.last_offset_delta());
}

std::string describe(const BatchView& batch) {
  const auto producer = batch.producer();
  return fmt::format("a batch of producer {} at epoch {} with sequences {} to {}", producer.id,
                     producer.epoch, producer.base_sequence, last_sequence_of(batch));
}

Error out_of_order(const BatchView& batch, std::int32_t expected, const char* why) {
  return {Errc::out_of_order_sequence,
          fmt::format("{} came where {} {}; send the batches before it first, or if they are given "
                      "up, begin anew at a higher epoch",
                      describe(batch), expected, why)};
}

Result<void> check_fields(const BatchView& batch, AppendOrigin origin) {
  const auto producer = batch.producer();
  const bool is_producers = origin == AppendOrigin::producer;
  if (producer.epoch >= 0 && !(is_producers && (batch.is_control() || producer.base_sequence < 0)))
      [[likely]]
    return {};
  if (is_producers && batch.is_control()) {
    return Error(Errc::invalid_record,
                 fmt::format("a control batch of producer {} was sent as records; only "
                             "coordinators write those, end the transaction instead",
                             producer.id));
  }
  return Error(Errc::invalid_record,
               fmt::format("a batch of producer {} has epoch {} and base sequence {}, which must "
                           "not be negative; send all three or no producer id",
                           producer.id, producer.epoch, producer.base_sequence));
}

Result<void> check_epoch(const BatchView& batch, std::int16_t known) {
  const auto producer = batch.producer();
  if (producer.epoch >= known) [[likely]]
    return {};
  return Error(Errc::invalid_producer_epoch,
               fmt::format("a batch of producer {} came at epoch {} after one at epoch {}: a newer "
                           "instance has taken over; close this one",
                           producer.id, producer.epoch, known));
}

Result<void> check_coordinator(const BatchView& batch, std::int32_t known) {
  const auto marker = read_marker(batch);
  if (!marker || marker->coordinator_epoch < 0 || marker->coordinator_epoch >= known) return {};
  return Error(Errc::transaction_coordinator_fenced,
               fmt::format("a marker for producer {} came from a transaction coordinator at epoch "
                           "{} after one at epoch {}: another one has taken over; let that end "
                           "the transaction",
                           batch.producer().id, marker->coordinator_epoch, known));
}

}  // namespace

std::int32_t sequence_plus(std::int32_t sequence, std::int32_t count) noexcept {
  return static_cast<std::int32_t>((std::int64_t{sequence} + count) % sequence_count);
}

std::int32_t sequence_minus(std::int32_t sequence, std::int32_t count) noexcept {
  return static_cast<std::int32_t>((std::int64_t{sequence} - count + sequence_count) %
                                   sequence_count);
}

std::optional<TransactionMarker> read_marker(const BatchView& batch) {
  std::vector<std::byte> scratch;
  auto cursor = record::RecordCursor::open(batch, scratch);
  record::RecordView record;
  const bool any = cursor && cursor->next(record) == record::RecordCursor::Step::record;
  if (!any || !record.key || record.key->size() < 4) return std::nullopt;
  const auto type = load_big<std::int16_t>(record.key->data() + 2);
  if (type != 0 && type != 1) return std::nullopt;
  TransactionMarker marker{.is_commit = type == 1};
  if (record.value && record.value->size() >= 6) {
    marker.coordinator_epoch = load_big<std::int32_t>(record.value->data() + 2);
  }
  return marker;
}

void ProducerState::Producer::enter(std::int16_t new_epoch) noexcept {
  if (epoch == new_epoch) return;
  epoch = new_epoch;
  count = 0;
  next_sequence = 0;
}

void ProducerState::Producer::add(const Batch& batch) noexcept {
  newest = static_cast<std::uint8_t>((newest + 1) % remembered_batches);
  count = static_cast<std::uint8_t>(std::min<std::size_t>(count + 1u, remembered_batches));
  batches[newest] = batch;
  next_sequence = sequence_plus(batch.last_sequence(), 1);
}

const ProducerState::Batch* ProducerState::Producer::find(
    std::int32_t first_sequence, std::int32_t last_sequence) const noexcept {
  for (std::size_t i = 0; i < count; ++i) {
    const Batch& batch = batches[(newest + remembered_batches - i) % remembered_batches];
    if (batch.first_sequence == first_sequence && batch.last_sequence() == last_sequence) {
      return &batch;
    }
  }
  return nullptr;
}

ProducerSummary ProducerState::Producer::summary(std::int64_t id) const {
  ProducerSummary saved{.id = id,
                        .epoch = epoch,
                        .timestamp = timestamp,
                        .coordinator_epoch = coordinator_epoch,
                        .transaction = transaction};
  if (count == 0) return saved;
  const Batch& last = batches[newest];
  saved.last_sequence = last.last_sequence();
  saved.last_offset = last.base + last.offset_delta;
  saved.offset_delta = last.offset_delta;
  return saved;
}

ProducerState::Producer* ProducerState::find(std::int64_t id) noexcept {
  if (id == last_id_ && last_ != nullptr) return last_;
  const auto found = producers_.find(id);
  if (found == producers_.end()) return nullptr;
  last_id_ = id;
  last_ = &found->second;  // stays where it is until it is erased
  return last_;
}

ProducerState::Producer& ProducerState::find_or_add(std::int64_t id) {
  if (Producer* known = find(id)) return *known;
  last_id_ = id;
  last_ = &producers_[id];
  return *last_;
}

Result<std::optional<DuplicateBatch>> ProducerState::check(const BatchView& batch,
                                                           AppendOrigin origin) {
  MILLRACE_CHECK(check_fields(batch, origin));
  const auto producer = batch.producer();
  const Producer* known = find(producer.id);
  // Nobody here by that id: perhaps forgotten, so that any sequence may be the next one.
  if (known == nullptr) return std::optional<DuplicateBatch>();
  const bool is_next = origin == AppendOrigin::producer && producer.epoch == known->epoch &&
                       producer.base_sequence == known->next_sequence;
  if (is_next && (!known->transaction || batch.is_transactional())) [[likely]] {
    return std::optional<DuplicateBatch>();
  }
  return judge(batch, origin, *known);
}

Result<std::optional<DuplicateBatch>> ProducerState::judge(const BatchView& batch,
                                                           AppendOrigin origin,
                                                           const Producer& known) {
  const auto producer = batch.producer();
  if (batch.is_control()) {
    MILLRACE_CHECK(check_epoch(batch, known.epoch));
    MILLRACE_CHECK(check_coordinator(batch, known.coordinator_epoch));
    return std::optional<DuplicateBatch>();
  }
  const bool is_producers = origin == AppendOrigin::producer;
  if (is_producers && producer.epoch == known.epoch) {
    const Batch* first_time = known.find(producer.base_sequence, last_sequence_of(batch));
    if (first_time != nullptr) {
      return std::optional(DuplicateBatch{first_time->base,
                                          first_time->base + first_time->offset_delta + 1,
                                          first_time->timestamp});
    }
  }
  MILLRACE_CHECK(check_epoch(batch, known.epoch));
  if (is_producers && producer.epoch > known.epoch && producer.base_sequence != 0) {
    return out_of_order(batch, 0, "is the first sequence of a new epoch");
  }
  if (is_producers && producer.epoch == known.epoch &&
      producer.base_sequence != known.next_sequence) {
    return out_of_order(batch, known.next_sequence, "is the next sequence");
  }
  if (known.transaction && !batch.is_transactional()) {
    return Error(Errc::invalid_transaction_state,
                 fmt::format("{} is not part of a transaction, and the producer's transaction that "
                             "began at offset {} is open; commit or abort that first",
                             describe(batch), known.transaction->value()));
  }
  return std::optional<DuplicateBatch>();
}

std::optional<AbortedTransaction> ProducerState::aborted_by(const BatchView& batch) {
  if (!batch.is_control()) return std::nullopt;
  const std::int64_t id = batch.producer().id;
  const Producer* known = find(id);
  if (known == nullptr || !known->transaction) return std::nullopt;
  const auto marker = read_marker(batch);
  if (!marker || marker->is_commit) return std::nullopt;
  const Offset begin = *known->transaction;
  auto other = open_.begin();
  if (other != open_.end() && *other == std::pair(begin, id)) ++other;
  const Offset stable = other != open_.end() ? other->first : batch.next_offset();
  return AbortedTransaction{id, begin, batch.last_offset(), stable};
}

std::optional<AbortedTransaction> ProducerState::close_transaction(const BatchView& batch) {
  const auto marker = read_marker(batch);
  if (!marker) return std::nullopt;
  const auto aborted = aborted_by(batch);
  Producer& producer = find_or_add(batch.producer().id);
  producer.enter(batch.producer().epoch);
  if (marker->coordinator_epoch >= 0) producer.coordinator_epoch = marker->coordinator_epoch;
  producer.timestamp = producer.seen = batch.max_timestamp();
  producer.wrote = true;
  if (producer.transaction) {
    open_.erase({*producer.transaction, batch.producer().id});
    ended_[*producer.transaction] = batch.last_offset();
    producer.transaction.reset();
  }
  return aborted;
}

std::optional<AbortedTransaction> ProducerState::apply(const BatchView& batch) {
  if (batch.is_control()) return close_transaction(batch);
  const auto identity = batch.producer();
  Producer& producer = find_or_add(identity.id);
  producer.enter(identity.epoch);
  producer.timestamp = producer.seen = batch.max_timestamp();
  producer.wrote = true;
  if (identity.base_sequence >= 0) {
    producer.add({batch.base_offset(), identity.base_sequence, batch.last_offset_delta(),
                  batch.max_timestamp()});
  }
  if (batch.is_transactional() && !producer.transaction) {
    producer.transaction = batch.base_offset();
    open_.emplace(batch.base_offset(), identity.id);
  }
  return std::nullopt;
}

void ProducerState::advance(Offset high_watermark) {
  // What stands behind one that is not over yet may wait for it: it does not count before.
  while (!ended_.empty() && ended_.begin()->second < high_watermark) ended_.erase(ended_.begin());
}

std::optional<Offset> ProducerState::first_unstable_offset() const noexcept {
  std::optional<Offset> first;
  if (!open_.empty()) first = open_.begin()->first;
  if (!ended_.empty() && (!first || ended_.begin()->first < *first)) first = ended_.begin()->first;
  return first;
}

std::size_t ProducerState::expire(Timestamp now, std::chrono::milliseconds expiration) {
  last_ = nullptr;
  const std::size_t before = producers_.size();
  for (auto entry = producers_.begin(); entry != producers_.end();) {
    Producer& producer = entry->second;
    // Times of records may lie in the future: they are not to keep a producer for ever.
    if (std::exchange(producer.wrote, false) || producer.seen > now) producer.seen = now;
    const bool is_over = !producer.transaction && now - producer.seen >= expiration;
    entry = is_over ? producers_.erase(entry) : std::next(entry);
  }
  return before - producers_.size();
}

std::vector<ProducerSummary> ProducerState::summaries() const {
  std::vector<ProducerSummary> all;
  all.reserve(producers_.size());
  for (const auto& [id, producer] : producers_) all.push_back(producer.summary(id));
  std::sort(all.begin(), all.end(), [](const auto& a, const auto& b) { return a.id < b.id; });
  return all;
}

std::vector<ProducerSummary> ProducerState::open_transactions() const {
  std::vector<ProducerSummary> open;
  for (const auto& [begin, id] : open_) open.push_back(producers_.at(id).summary(id));
  return open;
}

std::int64_t ProducerState::largest_id() const noexcept {
  std::int64_t largest = -1;
  for (const auto& [id, producer] : producers_) largest = std::max(largest, id);
  return largest;
}

void ProducerState::restore(std::span<const ProducerSummary> saved) {
  clear();
  for (const ProducerSummary& entry : saved) {
    Producer& producer = producers_[entry.id];
    producer.epoch = entry.epoch;
    producer.coordinator_epoch = entry.coordinator_epoch;
    producer.timestamp = producer.seen = entry.timestamp;
    producer.transaction = entry.transaction;
    if (entry.transaction) open_.emplace(*entry.transaction, entry.id);
    if (entry.last_sequence < 0) continue;
    producer.add({entry.last_offset - entry.offset_delta,
                  sequence_minus(entry.last_sequence, entry.offset_delta), entry.offset_delta,
                  entry.timestamp});
  }
}

void ProducerState::age() noexcept {
  for (auto& [id, producer] : producers_) producer.wrote = false;
}

void ProducerState::clear() {
  producers_.clear();
  open_.clear();
  ended_.clear();
  last_id_ = -1;
  last_ = nullptr;
}

}  // namespace millrace::inline v0::storage
