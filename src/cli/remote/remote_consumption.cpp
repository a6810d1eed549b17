#include "remote_consumption.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "../json_text.hpp"
#include "../program.hpp"

namespace millrace::inline v0::cli::remote {
namespace {

client::FetchOptions fetch_options(const ConsumeOptions& options) {
  return {.committed_only = options.isolation == Isolation::read_committed};
}

}  // namespace

Result<void> Consumption::begin() {
  MILLRACE_TRY(auto topic, cluster_.topic(options_.topic));
  fetcher_.emplace(cluster_, std::move(topic), fetch_options(options_));
  return {};
}

Result<void> Consumption::run() {
  MILLRACE_CHECK(begin());
  MILLRACE_CHECK(choose_partitions());
  while (!is_done()) {
    MILLRACE_TRY(const bool goes_on, print_next());
    if (!goes_on) break;
    MILLRACE_CHECK(look_for_partitions());
  }
  return output_.flush();
}

Result<void> Consumption::choose_partitions() {
  std::vector<PartitionId> ids = options_.partitions;
  for (PartitionId id = 0; options_.partitions.empty() && id < fetcher_->partition_count(); ++id) {
    ids.push_back(id);
  }
  for (const PartitionId id : ids) {
    MILLRACE_TRY(const Offset start, start_of(id));
    fetcher_->seek(id, start);
    if (!options_.exit_at_end) continue;
    MILLRACE_TRY(const auto end, fetcher_->find(id, client::Fetcher::at_end));
    ends_[id] = end.value_or(Offset{});
  }
  return mark_finished();
}

Result<Offset> Consumption::start_of(PartitionId id) {
  MILLRACE_TRY(const auto first, fetcher_->find(id, client::Fetcher::at_begin));
  MILLRACE_TRY(const auto last, fetcher_->find(id, client::Fetcher::at_end));
  const Offset start = first.value_or(Offset{});
  return start_in({options_.topic, id}, {start, last.value_or(start)}, options_.start,
                  [&](Timestamp time) { return fetcher_->find(id, time.milliseconds()); });
}

Result<bool> Consumption::print_next() {
  if (fetcher_->positions().empty()) return false;
  const auto read = fetcher_->poll(
      [this](const auto& partition, const auto& record) { print(partition, record); });
  if (!read) {
    MILLRACE_CHECK(step_over(read.error()));
    return true;
  }
  MILLRACE_CHECK(mark_finished());
  if (*read > 0) {
    MILLRACE_CHECK(output_.flush_if_full());
    return true;
  }
  MILLRACE_CHECK(output_.flush());
  return true;
}

/// New ones are read from their begin.
Result<void> Consumption::look_for_partitions() {
  const auto now = std::chrono::steady_clock::now();
  const bool is_due = now >= next_look_ && !options_.exit_at_end && options_.partitions.empty();
  if (!is_due) return {};
  next_look_ = now + std::chrono::seconds(5);
  MILLRACE_TRY(auto topic, cluster_.topic(options_.topic));
  const auto positions = fetcher_->positions();
  if (topic.partitions.size() == positions.size()) return {};
  fetcher_.emplace(cluster_, std::move(topic), fetch_options(options_));
  for (const auto& [id, position] : positions) fetcher_->seek(id, position);
  for (PartitionId id = 0; id < fetcher_->partition_count(); ++id) {
    if (!positions.contains(id)) fetcher_->seek(id, Offset{});
  }
  return {};
}

void Consumption::print(const TopicPartition& partition, const record::RecordView& record) {
  if (is_full()) return;
  const auto end = ends_.find(partition.partition);
  if (end != ends_.end() && record.offset >= end->second) return;
  ++printed_;
  printed_up_to_[partition] = record.offset + 1;
  const RawRecord raw(record, partition);
  if (options_.format) {
    options_.format->print(raw, partition.topic, output_.buffer());
  } else {
    print_json(raw, partition.topic, output_.buffer());
  }
}

Result<void> Consumption::step_over(const Error& error) {
  MILLRACE_CHECK(output_.flush());
  const PartitionId id = error.partition();
  if (error.code() == Errc::offset_out_of_range && id >= 0) {
    const Offset position = fetcher_->position(id);
    MILLRACE_TRY(const auto start, fetcher_->find(id, client::Fetcher::at_begin));
    MILLRACE_TRY(const auto end, fetcher_->find(id, client::Fetcher::at_end));
    const Offset next = std::clamp(position, start.value_or(Offset{}), end.value_or(position));
    if (next == position) return error;
    complain(fmt::format("{}-{}: there is no offset {} (any more); going on at {}", options_.topic,
                         id, position.value(), next.value()));
    fetcher_->seek(id, next);
    return {};
  }
  if (error.code() != Errc::corrupt_data || id < 0) return error;
  const bool knows_where = error.offsets().end > fetcher_->position(id);
  if (!options_.skip_damaged || !knows_where) {
    return Error(Errc::corrupt_data,
                 error.message() + "; --skip-damaged reads on behind what is damaged");
  }
  complain(fmt::format("skipped: {}", error.message()));
  fetcher_->seek(id, error.offsets().end);
  return {};
}

Result<void> Consumption::mark_finished() {
  std::vector<PartitionId> finished;
  for (const auto& [id, end] : ends_) {
    const auto position = fetcher_->positions().find(id);
    if (position != fetcher_->positions().end() && position->second >= end) finished.push_back(id);
  }
  for (const PartitionId id : finished) {
    fetcher_->leave(id);
    ends_.erase(id);
  }
  return {};
}

bool Consumption::is_done() const {
  return StopSignals::is_stopped() || output_.reader_is_gone() || is_full();
}

}  // namespace millrace::inline v0::cli::remote
