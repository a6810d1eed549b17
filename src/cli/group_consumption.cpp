#include "group_consumption.hpp"

#include <fmt/format.h>

#include "data_directory.hpp"
#include "json_text.hpp"

namespace millrace::inline v0::cli {

Result<void> GroupConsumption::run() {
  MILLRACE_TRY(const auto topic, find_topic(broker_, options_.topic));
  GroupOptions options;
  options.instance_id = membership_.instance_id;
  if (!membership_.assignors.empty()) options.assignors = membership_.assignors;
  options.consumer.auto_offset_reset = membership_.offset_reset;
  options.consumer.isolation = options_.isolation;
  const ConsumerGroup<Bytes, Bytes> group(topic, membership_.group, options);
  MILLRACE_TRY(Member member, group.join());
  const StopWatcher watcher(stop_, [&member] { member.interrupt(); });
  for (;;) {
    MILLRACE_TRY(const bool goes_on, print_next(member));
    if (!goes_on) break;
  }
  MILLRACE_CHECK(output_.flush());
  // What nobody read was not delivered.
  if (!output_.reader_is_gone()) MILLRACE_CHECK(member.commit());
  MILLRACE_CHECK(member.leave());
  return broker_.close();
}

Result<bool> GroupConsumption::print_next(Member& member) {
  if (is_done()) return false;
  // A poll says that what the one before gave was dealt with: it has to be out by then.
  MILLRACE_CHECK(output_.flush());
  if (is_done()) return false;
  const auto wait = options_.exit_at_end ? std::chrono::seconds(0) : std::chrono::hours(1);
  auto records = member.poll(wait);
  if (!records) {
    MILLRACE_CHECK(step_over(member, records.error()));
    return true;
  }
  if (!records->empty()) {
    MILLRACE_CHECK(print_all(member, *records));
    if (const auto status = records->status(); !status) {
      MILLRACE_CHECK(step_over(member, status.error()));
    }
    return true;
  }
  if (!options_.exit_at_end) return true;
  MILLRACE_TRY(const bool at_end, is_at_end(member));
  return !at_end;
}

Result<void> GroupConsumption::print_all(Member& member, const Records<Bytes, Bytes>& records) {
  const TopicPartition* left = nullptr;
  for (const RawRecord& record : records) {
    if (options_.max_records && printed_ >= *options_.max_records) {
      // The first of each partition that is not printed is the next one to be read.
      if (std::exchange(left, &record.topic_partition()) != &record.topic_partition()) {
        MILLRACE_CHECK(member.seek(record.topic_partition(), record.offset()));
      }
      continue;
    }
    ++printed_;
    if (options_.format) {
      options_.format->print(record, record.topic(), output_.buffer());
    } else {
      print_json(record, record.topic(), output_.buffer());
    }
  }
  return {};
}

Result<void> GroupConsumption::step_over(Member& member, const Error& error) {
  if (error.code() != Errc::corrupt_data || error.partition() < 0 || !options_.skip_damaged) {
    return error;
  }
  return member.seek({std::string(error.topic()), error.partition()}, error.offsets().end);
}

Result<bool> GroupConsumption::is_at_end(const Member& member) const {
  const auto assignment = member.assignment();
  for (const TopicPartition& partition : assignment) {
    MILLRACE_TRY(const std::int64_t lag, member.lag(partition));
    if (lag > 0) return false;
  }
  return !assignment.empty();
}

bool GroupConsumption::is_done() const {
  if (StopSignals::is_stopped() || output_.reader_is_gone()) return true;
  return options_.max_records && printed_ >= *options_.max_records;
}

}  // namespace millrace::inline v0::cli
