#include <fmt/format.h>

#include <limits>

#include "broker_model.hpp"

namespace millrace::test {

std::string BrokerModel::read() {
  const PartitionId id = pick();
  const std::int64_t offset = random_offset(id);
  if (compacts_) {
    if (auto wrong = check_scan(id); !wrong.empty()) return wrong;
  }
  const ReferenceLog& reference = references_[index(id)];
  const ModelRecord* expected = reference.at_or_after(offset);
  const bool is_out = offset < reference.start() || expected == nullptr;
  for (const Text* view : views()) {
    const auto found = partition(*view, id).read(Offset{offset}, chance(2));
    if (is_out) {
      if (!found && found.error().code() == Errc::offset_out_of_range) continue;
      return fmt::format("read({}), of what is not there: {}", offset,
                         found ? "a record" : found.error().message());
    }
    if (!found) return fmt::format("read({}): {}", offset, found.error().message());
    const auto& record = **found;
    const ModelRecord plain = plain_record({record.offset(), record.timestamp(), record.raw_key(),
                                            record.raw_value(), record.headers()});
    if (plain != *expected) {
      return fmt::format("read({}) gave offset {} instead of {}, or another content", offset,
                         plain.offset, expected->offset);
    }
  }
  return {};
}

std::string BrokerModel::find_time() {
  const PartitionId id = pick();
  if (compacts_) {
    if (auto wrong = check_scan(id); !wrong.empty()) return wrong;
  }
  const ReferenceLog& reference = references_[index(id)];
  std::int64_t time = clock_.now().milliseconds() - static_cast<std::int64_t>(random(200'000));
  if (const auto* some = reference.at_or_after(random_offset(id)); some != nullptr && chance(2)) {
    time = some->time + static_cast<std::int64_t>(random(3)) - 1;
  }
  const auto expected = reference.offset_for_time(time);
  for (const Text* view : views()) {
    const auto found = partition(*view, id).offset_for_time(Timestamp{time}).value();
    if (found.has_value() != expected.has_value() || (found && found->value() != *expected)) {
      return fmt::format("the first record at {} or later is {} instead of {}", time,
                         found ? found->value() : -1, expected.value_or(-1));
    }
  }
  return {};
}

std::string BrokerModel::scan() {
  return check_scan(pick());
}

std::string BrokerModel::new_consumer() {
  if (followers_.size() == 4) followers_.erase(followers_.begin());
  Follower follower;
  follower.attached = attached_topic_ && chance(2);
  auto& options = follower.options;
  options.auto_offset_reset =
      std::array{OffsetReset::earliest, OffsetReset::latest, OffsetReset::none}[random(3)];
  options.max_records = static_cast<std::int32_t>(1 + random(chance(2) ? 4 : 60));
  options.max_bytes = 1 + random(chance(2) ? 300 : 20'000);
  options.check_crc = chance(2);
  const Text& topic = follower.attached ? *attached_topic_ : *topic_;
  follower.consumer = std::make_unique<Consumer<std::string, std::string>>(topic, options);
  for (PartitionId id = 0; id < partitions; ++id) {
    const bool latest = options.auto_offset_reset == OffsetReset::latest;
    follower.position[index(id)] = latest ? reference(id).end() : reference(id).start();
  }
  followers_.push_back(std::move(follower));
  return {};
}

std::int64_t BrokerModel::start_of_reading(const Follower& follower, PartitionId id) {
  const std::int64_t position = follower.position[index(id)];
  const ReferenceLog& log = reference(id);
  if (position >= log.start() && position <= log.end()) return position;
  return follower.options.auto_offset_reset == OffsetReset::latest ? log.end() : log.start();
}

std::string BrokerModel::poll() {
  if (followers_.empty()) return new_consumer();
  Follower& follower = followers_[random(followers_.size())];
  auto result = follower.consumer->poll(std::chrono::nanoseconds(0));
  if (!result) return after_failed_poll(follower, result.error());
  const auto records = *std::move(result);
  Polled polled;
  std::size_t count = 0;
  for (const auto& record : records) {
    if (record.partition() < 0 || record.partition() >= partitions) return "a strange partition";
    polled[index(record.partition())].push_back(
        plain_record({record.offset(), record.timestamp(), record.raw_key(), record.raw_value(),
                      record.headers()}));
    ++count;
  }
  if (!records.status()) return "poll: " + records.status().error().message();
  if (records.empty() != (count == 0)) return "a poll without records says it has some";
  return check_polled(follower, polled, count);
}

std::string BrokerModel::after_failed_poll(Follower& follower, const Error& error) {
  if (error.code() != Errc::offset_out_of_range ||
      follower.options.auto_offset_reset != OffsetReset::none) {
    return "poll: " + error.message();
  }
  const PartitionId id = error.partition();
  if (id < 0 || id >= partitions) return "the error of a poll does not name the partition";
  const std::int64_t position = follower.position[index(id)];
  if (position >= reference(id).start() && position <= reference(id).end()) {
    return fmt::format("offset {} is out of range, poll says", position);
  }
  if (follower.consumer->position(id).value().value() != position) return "a failed poll moved";
  follower.consumer->seek_to_begin(id).value();
  follower.position[index(id)] = reference(id).start();
  return {};
}

std::string BrokerModel::check_polled(Follower& follower, const Polled& polled, std::size_t count) {
  if (count > static_cast<std::size_t>(follower.options.max_records)) {
    return fmt::format("{} records instead of {} at most", count, follower.options.max_records);
  }
  for (PartitionId id = 0; id < partitions; ++id) {
    auto wrong = check_position(follower, id, polled[index(id)], count != 0);
    if (!wrong.empty()) return fmt::format("poll of partition {}: {}", id, wrong);
  }
  return {};
}

std::string BrokerModel::check_position(Follower& follower, PartitionId id,
                                        const std::vector<ModelRecord>& records, bool anything) {
  ReferenceLog& log = reference(id);
  const std::int64_t before = follower.position[index(id)];
  const std::int64_t after = follower.consumer->position(id).value().value();
  if (follower.paused[index(id)]) {
    return after == before && records.empty() ? std::string() : "it is paused, and was read";
  }
  // Where nothing was read since the limits were reached, a reset may be still to come.
  if (records.empty() && anything && after == before) return {};
  const std::int64_t from = start_of_reading(follower, id);
  if (follower.options.auto_offset_reset == OffsetReset::none && from != before) {
    return fmt::format("offset {} is out of range, and nobody says so", before);
  }
  if (after < from || after > log.end()) {
    return fmt::format("went from {} to {}, the log has [{}, {})", from, after, log.start(),
                       log.end());
  }
  if (auto wrong = log.difference(records, from, after); !wrong.empty()) return wrong;
  follower.position[index(id)] = after;
  if (anything) return {};
  return log.difference({}, from, log.end());
}

std::string BrokerModel::seek() {
  if (followers_.empty()) return new_consumer();
  Follower& follower = followers_[random(followers_.size())];
  const PartitionId id = pick();
  std::int64_t& position = follower.position[index(id)];
  switch (random(4)) {
    case 0:
      follower.consumer->seek_to_begin(id).value();
      position = reference(id).start();
      break;
    case 1:
      follower.consumer->seek_to_end(id).value();
      position = reference(id).end();
      break;
    case 2: {
      if (auto wrong = check_scan(id); !wrong.empty()) return wrong;
      const auto* some = reference(id).at_or_after(random_offset(id));
      const std::int64_t time = some != nullptr ? some->time : clock_.now().milliseconds() + 1;
      follower.consumer->seek_to_time(id, Timestamp{time}).value();
      position = reference(id).offset_for_time(time).value_or(reference(id).end());
      break;
    }
    default:
      position = random_offset(id);
      follower.consumer->seek(id, Offset{position}).value();
  }
  const std::int64_t found = follower.consumer->position(id).value().value();
  return found == position ? std::string() : fmt::format("a seek to {} led to {}", position, found);
}

std::string BrokerModel::pause() {
  if (followers_.empty()) return new_consumer();
  Follower& follower = followers_[random(followers_.size())];
  const PartitionId id = pick();
  bool& paused = follower.paused[index(id)];
  paused = !paused;
  const auto done = paused ? follower.consumer->pause(id) : follower.consumer->resume(id);
  done.value();
  return {};
}

}  // namespace millrace::test
