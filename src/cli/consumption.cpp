#include "consumption.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <millrace/engine/broker_core.hpp>

#include "data_directory.hpp"
#include "json_text.hpp"
#include "program.hpp"

namespace millrace::inline v0::cli {
namespace {

// How often a topic that nothing happens in is looked at for new partitions.
constexpr auto idle_wait = std::chrono::seconds(5);

ConsumerOptions consumer_options(Isolation isolation) {
  return {.auto_offset_reset = OffsetReset::none, .max_records = 10'000, .isolation = isolation};
}

}  // namespace

Result<void> Consumption::run() {
  MILLRACE_CHECK(choose_partitions());
  const StopWatcher watcher(stop_, [this] {
    const std::lock_guard lock(consumer_mutex_);
    consumer_->interrupt();
  });
  for (;;) {
    MILLRACE_TRY(const bool go_on, print_next());
    if (!go_on) break;
  }
  return output_.flush();
}

Result<void> Consumption::choose_partitions() {
  MILLRACE_TRY(topic_, find_topic(broker_, options_.topic));
  std::vector<PartitionId> ids = options_.partitions;
  for (PartitionId id = 0; options_.partitions.empty() && id < topic_->partition_count(); ++id) {
    ids.push_back(id);
  }
  consumer_.emplace(*topic_, consumer_options(options_.isolation));
  MILLRACE_CHECK(consumer_->assign(ids));
  for (const PartitionId id : consumer_->assignment()) {
    MILLRACE_TRY(const auto partition, topic_->partition(id));
    const Offset end = partition.offsets().end;
    MILLRACE_TRY(const Offset start, start_of(partition));
    MILLRACE_CHECK(consumer_->seek(id, start));
    followed_.push_back({id, end});
  }
  return mark_finished();
}

Result<Offset> start_in(const TopicPartition& partition, const Offsets& offsets, const Start& from,
                        const FindTime& find_time) {
  const auto [start, end] = offsets;
  if (std::holds_alternative<FromBeginning>(from)) return start;
  if (std::holds_alternative<FromEnd>(from)) return end;
  if (const auto* time = std::get_if<Timestamp>(&from)) {
    MILLRACE_TRY(const auto found, find_time(*time));
    return found.value_or(end);
  }
  const std::int64_t asked = std::get<FromOffset>(from).offset;
  if (asked < 0) return std::max(start, asked < start - end ? start : end + asked);
  if (Offset{asked} >= start && Offset{asked} <= end) return Offset{asked};
  return Error(
      Errc::offset_out_of_range,
      fmt::format("{}-{} has offsets from {} up to, not including, {}: it cannot be read "
                  "from {}; choose another --offset, or the partition with --partition",
                  partition.topic, partition.partition, start.value(), end.value(), asked));
}

Result<Offset> Consumption::start_of(const Partition<Bytes, Bytes>& partition) const {
  return start_in(partition.handle().name(), partition.offsets(), options_.start,
                  [&](Timestamp time) { return partition.offset_for_time(time); });
}

Result<bool> Consumption::print_next() {
  if (is_done()) return false;
  auto records = consumer_->poll(std::chrono::nanoseconds(0));
  if (records && records->empty()) {
    MILLRACE_CHECK(mark_finished());
    MILLRACE_CHECK(output_.flush());
    if (is_done() || options_.exit_at_end) return false;
    records = consumer_->poll(idle_wait);
    if (records && records->empty()) MILLRACE_CHECK(look_for_changes());
  }
  if (!records) {
    MILLRACE_CHECK(step_over(records.error()));
    return true;
  }
  print_all(*records);
  if (const auto status = records->status(); !status) MILLRACE_CHECK(step_over(status.error()));
  MILLRACE_CHECK(mark_finished());
  MILLRACE_CHECK(output_.flush_if_full());
  return true;
}

void Consumption::print_all(const Records<Bytes, Bytes>& records) {
  for (const RawRecord& record : records) {
    if (!is_wanted(record)) continue;
    if (options_.max_records && printed_ >= *options_.max_records) return;
    ++printed_;
    if (options_.format) {
      options_.format->print(record, topic_->name(), output_.buffer());
    } else {
      print_json(record, topic_->name(), output_.buffer());
    }
  }
}

bool Consumption::is_wanted(const RawRecord& record) const {
  if (!options_.exit_at_end) return true;
  const auto at = std::find_if(followed_.begin(), followed_.end(), [&](const Followed& followed) {
    return followed.id == record.partition();
  });
  return at != followed_.end() && record.offset() < at->end;
}

Result<void> Consumption::mark_finished() {
  if (!options_.exit_at_end) return {};
  for (Followed& followed : followed_) {
    if (followed.is_finished) continue;
    MILLRACE_TRY(const Offset position, consumer_->position(followed.id));
    followed.is_finished = position >= followed.end;
    if (followed.is_finished) MILLRACE_CHECK(consumer_->pause(followed.id));
  }
  return {};
}

bool Consumption::is_done() const {
  if (StopSignals::is_stopped() || output_.reader_is_gone()) return true;
  if (options_.max_records && printed_ >= *options_.max_records) return true;
  return options_.exit_at_end &&
         std::all_of(followed_.begin(), followed_.end(),
                     [](const Followed& followed) { return followed.is_finished; });
}

Result<void> Consumption::step_over(const Error& error) {
  MILLRACE_CHECK(output_.flush());
  if (error.code() == Errc::offset_out_of_range && error.partition() >= 0) {
    return step_over_removed(error.partition());
  }
  if (error.code() != Errc::corrupt_data || error.partition() < 0) return error;
  if (!options_.skip_damaged) {
    return Error(Errc::corrupt_data,
                 error.message() + "; --skip-damaged reads on behind what is damaged");
  }
  complain(fmt::format("skipped: {}", error.message()));
  MILLRACE_TRY(const Offset position, consumer_->position(error.partition()));
  return consumer_->seek(error.partition(), std::max(position, error.offsets().end));
}

Result<void> Consumption::step_over_removed(PartitionId id) {
  MILLRACE_TRY(const auto partition, topic_->partition(id));
  MILLRACE_TRY(const Offset position, consumer_->position(id));
  const auto [start, end] = partition.offsets();
  if (position < start) {
    complain(fmt::format("{}-{}: retention removed offsets {} to {} before they were read",
                         topic_->name(), id, position.value(), start.value() - 1));
    return consumer_->seek(id, start);
  }
  complain(fmt::format("{}-{}: the log was cut back from offset {} to {}; going on at its end",
                       topic_->name(), id, position.value(), end.value()));
  return consumer_->seek(id, std::min(position, end));
}

Result<void> Consumption::look_for_changes() {
  // What cannot be read just now, because its owner is at work on it, is looked at the next time.
  if (!broker_.topics()) return {};
  const auto topic = broker_.topic<Bytes, Bytes>(options_.topic, {.create_if_missing = false});
  if (!topic && topic.error().code() == Errc::unknown_topic) {
    return Error(Errc::unknown_topic,
                 fmt::format("topic {} was deleted while it was read", options_.topic));
  }
  if (!topic || topic->core() == topic_->core()) return {};
  if (topic->core()->entry.id != topic_->core()->entry.id) {
    return Error(Errc::unknown_topic,
                 fmt::format("topic {} was deleted and created anew while it was read; start again "
                             "to read the new one",
                             options_.topic));
  }
  return options_.partitions.empty() ? follow(*topic) : Result<void>();
}

Result<void> Consumption::follow(const Topic<Bytes, Bytes>& topic) {
  Consumer<Bytes, Bytes> next(topic, consumer_options(options_.isolation));
  for (const Followed& followed : followed_) {
    MILLRACE_TRY(const Offset position, consumer_->position(followed.id));
    MILLRACE_CHECK(next.seek(followed.id, position));
  }
  for (auto id = static_cast<PartitionId>(followed_.size()); id < topic.partition_count(); ++id) {
    followed_.push_back({id, Offset{}});
  }
  topic_ = topic;
  const std::lock_guard lock(consumer_mutex_);
  *consumer_ = std::move(next);
  return {};
}

}  // namespace millrace::inline v0::cli
