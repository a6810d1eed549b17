#include <algorithm>
#include <atomic>
#include <map>
#include <millrace/consumer.hpp>
#include <millrace/engine/broker_core.hpp>

#include "aborted_filter.hpp"
#include "api/unpacking.hpp"
#include "delayed_filter.hpp"

namespace millrace::inline v0 {
namespace {

struct Assigned {
  std::shared_ptr<engine::PartitionReader> reader;
  storage::LogCursor cursor;
  Offset position;
  detail::Unpacker unpacker;
  bool paused = false;  ///< by the user
  bool held = false;    ///< by a group that does not know yet where it is to begin
  /// The readable end when there was nothing to read below it. Looking again helps once it moves.
  std::optional<Offset> exhausted = {};
  detail::AbortedFilter aborted = {};

  bool is_read() const noexcept { return !paused && !held; }
};

/// How many records a poll takes of a chunk, and where it goes on after them.
struct Taken {
  std::int64_t records = 0;
  Offset end;
  bool transactional = false;  ///< any of them are part of a transaction
};

/// Takes at most `most` records at or behind `begin` from a batch that compaction left holes in.
void take_sparse(const record::BatchView& batch, Offset begin, std::int64_t most, Taken& taken) {
  std::vector<std::byte> scratch;
  auto cursor = record::RecordCursor::open(batch, scratch);
  record::RecordView record;
  auto step = cursor ? cursor->skip_to(begin, record) : record::RecordCursor::Step::malformed;
  for (; step == record::RecordCursor::Step::record; step = cursor->next(record)) {
    taken.end = record.offset + 1;
    if (++taken.records == most) return;
  }
  // A batch that cannot be read counts, so that whoever walks the records hears of it.
  if (step == record::RecordCursor::Step::malformed) ++taken.records;
  taken.end = batch.next_offset();
}

/// Takes at most `most` records of a chunk, control batches left out. Only where compaction left
/// holes are they looked at one by one.
Taken take_records(const storage::Chunk& chunk, std::int64_t most) {
  Taken taken{0, chunk.begin};
  for (std::size_t at = 0; at < chunk.bytes.size();) {
    const auto batch = record::BatchView::try_parse(chunk.bytes.subspan(at));
    if (batch.size() == 0) break;
    at += batch.size();
    if (batch.is_control() || batch.record_count() == 0) continue;
    taken.transactional |= batch.is_transactional();
    const Offset from = std::max(chunk.begin, batch.base_offset());
    const std::int64_t left = most - taken.records;
    if (batch.record_count() != batch.last_offset_delta() + 1) {
      take_sparse(batch, from, most, taken);
    } else {
      const std::int64_t count = std::min(left, batch.next_offset() - from);
      taken.records += count;
      taken.end = from + count;
    }
    if (taken.records >= most) return taken;
  }
  taken.end = chunk.end;
  return taken;
}

}  // namespace

struct ConsumerCore::Impl {
  using Batches = std::vector<FetchedRecords::Unpacked>;

  std::shared_ptr<engine::BrokerCore> broker;
  std::map<std::string, std::shared_ptr<const engine::TopicCore>, std::less<>> topics;
  ConsumerOptions options;
  std::vector<Assigned> assigned;
  std::vector<storage::ControlBlock*> flags;
  std::size_t next = 0;
  std::atomic<bool> interrupted{false};
  std::shared_ptr<MemoryBudget> memory;
  bool has_no_memory = false;                     // for the next records, as of the last look
  std::optional<std::uint64_t> topics_seen = {};  // given if news of topics end a poll

  Result<Assigned*> find(const TopicPartition& partition);
  Result<PartitionHandle> handle_of(const TopicPartition& partition) const;
  Result<void> add(const TopicPartition& partition);
  Offset start_of(engine::PartitionReader& reader) const;
  void collect_flags();
  static void move_to(Assigned& assigned, Offset offset);
  bool forget_unpacked() noexcept;
  Result<void> move_to_time(Assigned& assigned, Timestamp time) const;
  Result<bool> fetch(Assigned& from, FetchedRecords& into, std::int64_t& records,
                     std::size_t& bytes);
  static Result<void> unpack(Assigned& from, storage::Chunk& chunk, std::int64_t records,
                             Batches& into);
  static Result<std::int64_t> add_seen(Assigned& from, FetchedRecords::Part part,
                                       std::optional<Offset> stable_end, const Batches& unpacked,
                                       FetchedRecords& into);
  Result<bool> fetch_all(FetchedRecords& into);
  bool has_news() const noexcept;
  bool has_new_topics() const noexcept {
    return topics_seen && *topics_seen != broker->topics_version();
  }
  bool notice_topics() noexcept;
  std::string topic_names() const;
  Offset end_of(engine::PartitionReader& reader) const noexcept {
    return options.isolation == Isolation::read_committed ? reader.stable_end()
                                                          : reader.visible_end();
  }
  Offset end_of(const Assigned& a) const noexcept { return end_of(*a.reader); }
};

Result<Assigned*> ConsumerCore::Impl::find(const TopicPartition& partition) {
  for (Assigned& a : assigned) {
    if (a.reader->name() == partition) return &a;
  }
  return Error(Errc::unknown_partition, "partition " + std::to_string(partition.partition) +
                                            " of topic " + partition.topic +
                                            " is not assigned to this consumer; assign() it first")
      .at(partition.topic, partition.partition);
}

Result<PartitionHandle> ConsumerCore::Impl::handle_of(const TopicPartition& partition) const {
  const auto topic = topics.find(partition.topic);
  if (topic != topics.end()) {
    return detail::partition_of(broker, *topic->second, partition.partition);
  }
  return Error(Errc::unknown_topic, "this consumer reads " + topic_names() + ", not topic " +
                                        partition.topic + "; name one of those")
      .at(partition.topic, partition.partition);
}

Result<void> ConsumerCore::Impl::add(const TopicPartition& partition) {
  MILLRACE_TRY(const PartitionHandle handle, handle_of(partition));
  const Offset start = start_of(*handle.reader());
  assigned.push_back({handle.reader(), storage::LogCursor(handle.reader()->source(), start), start,
                      detail::Unpacker(memory)});
  return {};
}

Offset ConsumerCore::Impl::start_of(engine::PartitionReader& reader) const {
  const auto age = options.auto_offset_reset.age();
  if (!age) {
    const bool latest = options.auto_offset_reset == OffsetReset::latest;
    return latest ? end_of(reader) : reader.log_start_offset();
  }
  const Offset end = end_of(reader);
  const auto found = storage::find_time(reader.source(), broker->clock().now() - *age, end);
  // Where a log is damaged reading it from its start will tell.
  if (!found) return reader.log_start_offset();
  return *found ? (*found)->offset : end;
}

void ConsumerCore::Impl::collect_flags() {
  flags.clear();
  for (Assigned& a : assigned) {
    if (a.is_read()) flags.push_back(a.reader->wake_flag());
  }
}

void ConsumerCore::Impl::move_to(Assigned& a, Offset offset) {
  a.position = offset;
  a.cursor.seek(offset);
  a.exhausted.reset();
  a.unpacker.forget_all();
}

/// Of batches that were begun; false if nothing was kept.
bool ConsumerCore::Impl::forget_unpacked() noexcept {
  bool any = false;
  for (Assigned& a : assigned) any |= a.unpacker.forget_all();
  return any;
}

Result<void> ConsumerCore::Impl::move_to_time(Assigned& a, Timestamp time) const {
  const Offset end = end_of(a);
  auto found = storage::find_time(a.reader->source(), time, end);
  if (!found) return found.error().at(a.reader->topic(), a.reader->id());
  move_to(a, *found ? (*found)->offset : end);
  return {};
}

bool ConsumerCore::Impl::notice_topics() noexcept {
  if (!has_new_topics()) return false;
  topics_seen = broker->topics_version();
  return true;
}

std::string ConsumerCore::Impl::topic_names() const {
  std::string names = topics.size() == 1 ? "topic " : "topics ";
  for (const auto& [name, topic] : topics) {
    if (!names.ends_with(' ')) names += ", ";
    names += name;
  }
  return topics.empty() ? "no topic yet" : names;
}

bool ConsumerCore::Impl::has_news() const noexcept {
  if (interrupted.load(std::memory_order_relaxed) || broker->is_closed()) return true;
  if (has_new_topics()) return true;
  return std::any_of(assigned.begin(), assigned.end(), [this](const Assigned& a) {
    const Offset end = end_of(a);
    return a.is_read() && end != a.position && end != a.exhausted;
  });
}

Result<bool> ConsumerCore::Impl::fetch(Assigned& from, FetchedRecords& into, std::int64_t& records,
                                       std::size_t& bytes) {
  bool reset_done = false;
  for (;;) {
    const Offset limit = end_of(from);
    if (limit == from.position) return false;
    if (limit < from.position && from.position <= from.reader->visible_end()) {
      from.exhausted = limit;  // in front of an open transaction
      return false;
    }
    auto chunk = from.cursor.read(limit, {.max_bytes = bytes, .check_crc = options.check_crc});
    if (!chunk) {
      const Error& error = chunk.error();
      const bool out_of_range = error.code() == Errc::offset_out_of_range;
      if (!out_of_range || reset_done || options.auto_offset_reset == OffsetReset::none) {
        from.cursor.seek(from.position + 1);  // a failed read leaves no half-read position behind
        from.cursor.seek(from.position);
        return error.at(from.reader->topic(), from.reader->id());
      }
      reset_done = true;
      move_to(from, start_of(*from.reader));
      continue;
    }
    if (chunk->empty()) {
      from.position = from.cursor.position();
      from.exhausted = limit;
      return false;
    }
    std::vector<FetchedRecords::Unpacked> unpacked;
    MILLRACE_CHECK(unpack(from, *chunk, records, unpacked));
    if (chunk->empty()) {
      // The caller is not to go without records because of some that it has not been given.
      if (into.parts().empty() && forget_unpacked()) continue;
      has_no_memory = true;
      return false;
    }
    const Taken taken = take_records(*chunk, records);
    const Offset begin = from.position;
    from.position = taken.end;
    from.unpacker.forget_below(taken.end);
    from.exhausted.reset();
    if (taken.end != chunk->end) from.cursor.seek(taken.end);
    if (taken.records == 0) continue;
    const std::size_t size = chunk->bytes.size();
    const bool may_be_aborted =
        taken.transactional && options.isolation == Isolation::read_committed;
    FetchedRecords::Part part{from.reader, *std::move(chunk), begin, taken.end};
    std::int64_t seen = taken.records;
    if (may_be_aborted || from.reader->delays()) [[unlikely]] {
      auto added = add_seen(from, std::move(part),
                            may_be_aborted ? std::optional(limit) : std::nullopt, unpacked, into);
      if (!added) {
        move_to(from, begin);
        return added.error().at(from.reader->topic(), from.reader->id());
      }
      // What is not seen counts for nothing, however much it is: empty means the end.
      if (*added == 0) continue;
      seen = *added;
    } else {
      into.add(std::move(part));
    }
    bytes -= std::min(bytes, size);
    records -= std::min(records, seen);
    for (auto& batch : unpacked) into.add(std::move(batch));
    return true;
  }
}

/// Leaves of a chunk what there is room for, and the cursor behind that.
Result<void> ConsumerCore::Impl::unpack(Assigned& from, storage::Chunk& chunk, std::int64_t records,
                                        Batches& into) {
  if (auto unpacked = from.unpacker.unpack(chunk, records, into); !unpacked) {
    from.cursor.seek(from.position);
    return unpacked.error().at(from.reader->topic(), from.reader->id());
  }
  from.cursor.seek(chunk.empty() ? from.position : chunk.end);
  return {};
}

/// Adds what is to be seen of `part`; how many records that is. The last stable offset is given if
/// some of it may be aborted.
Result<std::int64_t> ConsumerCore::Impl::add_seen(Assigned& from, FetchedRecords::Part part,
                                                  std::optional<Offset> stable_end,
                                                  const Batches& unpacked, FetchedRecords& into) {
  if (!from.reader->delays()) {
    return from.aborted.add_committed(std::move(part), *stable_end, into);
  }
  FetchedRecords committed;
  if (stable_end) {
    MILLRACE_CHECK(from.aborted.add_committed(std::move(part), *stable_end, committed));
  } else {
    committed.add(std::move(part));
  }
  return detail::add_delivered(committed, unpacked, into);
}

Result<bool> ConsumerCore::Impl::fetch_all(FetchedRecords& into) {
  std::int64_t records = std::max(options.max_records, 1);
  std::size_t bytes = std::max<std::size_t>(options.max_bytes, 1);
  bool any = false;
  has_no_memory = false;
  // The partition after the one that was served last comes first, so that none starves.
  const std::size_t count = assigned.size();
  const std::size_t first = next;
  for (std::size_t i = 0; i < count && records > 0 && bytes > 0; ++i) {
    const std::size_t index = (first + i) % count;
    if (!assigned[index].is_read()) continue;
    auto got = fetch(assigned[index], into, records, bytes);
    if (!got) {
      if (any) return true;  // what was read counts; the error comes again at the next poll
      return got;
    }
    if (*got) next = (index + 1) % count;
    any |= *got;
  }
  return any;
}

ConsumerCore::ConsumerCore(const Broker& broker, const ConsumerOptions& options)
    : impl_(std::make_unique<Impl>()) {
  impl_->broker = broker.core();
  impl_->options = options;
  impl_->memory = std::make_shared<MemoryBudget>(std::max<std::size_t>(options.memory_bytes, 1));
}

ConsumerCore::ConsumerCore(ConsumerCore&&) noexcept = default;
ConsumerCore& ConsumerCore::operator=(ConsumerCore&&) noexcept = default;
ConsumerCore::~ConsumerCore() = default;

void ConsumerCore::follow(std::shared_ptr<const engine::TopicCore> topic) {
  impl_->topics[topic->entry.name] = std::move(topic);
}

Result<void> ConsumerCore::assign(const std::vector<TopicPartition>& partitions) {
  for (const TopicPartition& partition : partitions) {
    if (impl_->find(partition)) continue;
    MILLRACE_CHECK(impl_->add(partition));
  }
  std::erase_if(impl_->assigned, [&](const Assigned& a) {
    return std::find(partitions.begin(), partitions.end(), a.reader->name()) == partitions.end();
  });
  impl_->next = 0;
  impl_->collect_flags();
  return {};
}

std::vector<TopicPartition> ConsumerCore::assignment() const {
  std::vector<TopicPartition> names;
  names.reserve(impl_->assigned.size());
  for (const Assigned& a : impl_->assigned) names.push_back(a.reader->name());
  return names;
}

Result<void> ConsumerCore::seek(const TopicPartition& partition, Offset offset) {
  MILLRACE_TRY(Assigned * a, impl_->find(partition));
  Impl::move_to(*a, offset);
  return {};
}

Result<void> ConsumerCore::seek_to_begin(const TopicPartition& partition) {
  MILLRACE_TRY(Assigned * a, impl_->find(partition));
  Impl::move_to(*a, a->reader->log_start_offset());
  return {};
}

Result<void> ConsumerCore::seek_to_end(const TopicPartition& partition) {
  MILLRACE_TRY(Assigned * a, impl_->find(partition));
  Impl::move_to(*a, impl_->end_of(*a));
  return {};
}

Result<void> ConsumerCore::seek_to_time(const TopicPartition& partition, Timestamp time) {
  MILLRACE_TRY(Assigned * a, impl_->find(partition));
  return impl_->move_to_time(*a, time);
}

Result<void> ConsumerCore::seek_to_reset(const TopicPartition& partition) {
  MILLRACE_TRY(Assigned * a, impl_->find(partition));
  Impl::move_to(*a, impl_->start_of(*a->reader));
  return {};
}

Result<void> ConsumerCore::seek_by(const TopicPartition& partition, std::int64_t count) {
  MILLRACE_TRY(Assigned * a, impl_->find(partition));
  const Offset start = a->reader->log_start_offset();
  const Offset end = std::max(impl_->end_of(*a), start);
  const Offset from = std::clamp(a->position, start, end);
  Impl::move_to(*a, from + std::clamp(count, start - from, end - from));
  return {};
}

Result<Offset> ConsumerCore::position(const TopicPartition& partition) const {
  MILLRACE_TRY(const Assigned* a, impl_->find(partition));
  return a->position;
}

Result<std::int64_t> ConsumerCore::lag(const TopicPartition& partition) const {
  MILLRACE_TRY(const Assigned* a, impl_->find(partition));
  return std::max<std::int64_t>(impl_->end_of(*a) - a->position, 0);
}

Result<void> ConsumerCore::pause(const TopicPartition& partition) {
  MILLRACE_TRY(Assigned * a, impl_->find(partition));
  a->paused = true;
  a->unpacker.forget_all();
  impl_->collect_flags();
  return {};
}

Result<void> ConsumerCore::resume(const TopicPartition& partition) {
  MILLRACE_TRY(Assigned * a, impl_->find(partition));
  a->paused = false;
  impl_->collect_flags();
  return {};
}

Result<void> ConsumerCore::hold(const TopicPartition& partition) {
  MILLRACE_TRY(Assigned * a, impl_->find(partition));
  a->held = true;
  impl_->collect_flags();
  return {};
}

Result<void> ConsumerCore::release(const TopicPartition& partition) {
  MILLRACE_TRY(Assigned * a, impl_->find(partition));
  a->held = false;
  impl_->collect_flags();
  return {};
}

std::size_t ConsumerCore::held_bytes() const noexcept {
  return impl_->memory->held();
}

std::int64_t ConsumerCore::unpacked_batches() const noexcept {
  std::int64_t count = 0;
  for (const Assigned& a : impl_->assigned) count += a.unpacker.count();
  return count;
}

bool ConsumerCore::lacks_memory() const noexcept {
  return impl_->has_no_memory;
}

void ConsumerCore::return_on_new_topics() {
  impl_->topics_seen = impl_->broker->topics_version();
}

Result<FetchedRecords> ConsumerCore::poll(std::chrono::nanoseconds wait) {
  using clock = std::chrono::steady_clock;
  Impl& impl = *impl_;
  std::optional<clock::time_point> deadline;
  for (;;) {
    FetchedRecords fetched;
    if (impl.broker->is_closed()) {
      return Error(Errc::closed, "polling " + impl.topic_names() + ": the broker on " +
                                     impl.broker->path() + " is closed");
    }
    MILLRACE_TRY(const bool any, impl.fetch_all(fetched));
    if (any || impl.interrupted.exchange(false) || impl.notice_topics()) return fetched;
    if (impl.has_no_memory) return fetched;  // the caller has what is to be given back
    if (wait <= std::chrono::nanoseconds(0)) return fetched;
    if (!deadline) {
      const auto now = clock::now();
      deadline = wait > clock::time_point::max() - now ? clock::time_point::max() : now + wait;
    }
    const bool ready = impl.broker->hub().wait(impl.flags, impl.options.wait, *deadline,
                                               [&] { return impl.has_news(); });
    if (!ready) return fetched;
  }
}

void ConsumerCore::interrupt() noexcept {
  impl_->interrupted.store(true);
  impl_->broker->hub().wake_everybody();
}

}  // namespace millrace::inline v0
