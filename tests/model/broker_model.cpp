#include "broker_model.hpp"

#include <fmt/format.h>

#include "weighted.hpp"

namespace millrace::test {
namespace {

constexpr std::int64_t retention_ms = 3'600'000;
constexpr std::int64_t delete_retention_ms = 1'200'000;

std::string or_null(const std::optional<Bytes>& bytes) {
  return bytes ? std::string(as_text(*bytes)) : std::string("<null>");
}

}  // namespace

ModelRecord plain_record(const record::RecordView& record) {
  ModelRecord plain;
  plain.offset = record.offset.value();
  plain.time = record.timestamp.milliseconds();
  if (record.key) plain.key = as_text(*record.key);
  if (record.value) plain.value = as_text(*record.value);
  for (const Header& header : record.headers) {
    plain.headers += std::string(header.key) + "=" + or_null(header.value) + ";";
  }
  return plain;
}

BrokerModel::BrokerModel(std::uint64_t seed) : rng_(seed) {
  const bool in_memory = chance(3);
  path_ = in_memory ? std::string(":memory:") : temp_ / "data";
  compacts_ = chance(3);
  stamps_ = chance(4);
  settings_ = settings();
  name_ = fmt::format("seed {}, {}", seed, in_memory ? "in memory" : "on disk");
  open();
}

TopicSettings BrokerModel::settings() {
  static const char* const policies[] = {"before_ack", "by_os", "every"};
  static const char* const segments[] = {"4096", "6000", "20000", "100000"};
  static const char* const intervals[] = {"0", "200", "1000", "4096"};
  TopicSettings some{{"segment.bytes", segments[random(4)]},
                     {"index.interval.bytes", intervals[random(4)]},
                     {"millrace.flush.policy", policies[random(3)]},
                     {"max.message.bytes", "4000"},
                     {"delete.retention.ms", std::to_string(delete_retention_ms)},
                     {"min.cleanable.dirty.ratio", chance(2) ? "0" : "0.3"},
                     {"retention.ms", std::to_string(chance(3) ? -1 : retention_ms)},
                     {"file.delete.delay.ms", chance(3) ? "60000" : "0"}};
  if (some["millrace.flush.policy"] == "every") some["flush.messages"] = "7";
  if (chance(4)) some["segment.ms"] = "600000";
  if (chance(4)) some["segment.index.bytes"] = "64";
  if (chance(3)) some["compression.type"] = "lz4";
  if (stamps_) some["message.timestamp.type"] = "LogAppendTime";
  deletes_ = !compacts_ || chance(2);
  some["cleanup.policy"] = !compacts_ ? "delete" : deletes_ ? "compact,delete" : "compact";
  if (deletes_ && chance(2)) some["retention.bytes"] = "30000";
  return some;
}

void BrokerModel::open() {
  broker_.emplace(Broker::open(path_, {.background_thread = false, .clock = &clock_}).value());
  topic_.emplace(broker_
                     ->topic<std::string, std::string>(
                         "model", {.partitions = partitions, .settings = settings_})
                     .value());
}

Partition<std::string, std::string> BrokerModel::partition(const Text& topic,
                                                           PartitionId id) const {
  return topic.partition(id).value();
}

std::vector<const BrokerModel::Text*> BrokerModel::views() const {
  std::vector<const Text*> all{&*topic_};
  if (attached_topic_) all.push_back(&*attached_topic_);
  return all;
}

std::span<const BrokerModel::Step> BrokerModel::steps() {
  static const std::array all = {Step{"append_single", 20, &BrokerModel::append_single},
                                 Step{"append_batch", 20, &BrokerModel::append_batch},
                                 Step{"produce", 15, &BrokerModel::produce},
                                 Step{"flush", 5, &BrokerModel::flush},
                                 Step{"roll", 4, &BrokerModel::roll},
                                 Step{"delete_before", 2, &BrokerModel::delete_before},
                                 Step{"clean", 6, &BrokerModel::clean},
                                 Step{"compact", 6, &BrokerModel::compact},
                                 Step{"alter", 3, &BrokerModel::alter},
                                 Step{"reopen", 4, &BrokerModel::reopen},
                                 Step{"attach", 3, &BrokerModel::attach},
                                 Step{"read", 15, &BrokerModel::read},
                                 Step{"find_time", 10, &BrokerModel::find_time},
                                 Step{"scan", 8, &BrokerModel::scan},
                                 Step{"new_consumer", 4, &BrokerModel::new_consumer},
                                 Step{"poll", 30, &BrokerModel::poll},
                                 Step{"seek", 6, &BrokerModel::seek},
                                 Step{"pause", 4, &BrokerModel::pause}};
  return all;
}

std::string BrokerModel::run(std::size_t count) {
  for (std::size_t i = 0; i < count; ++i) {
    const Step* const chosen =
        &choose_weighted(steps(), [this](std::uint64_t below) { return random(below); });
    if (auto wrong = perform(chosen->name); !wrong.empty()) {
      std::string text = fmt::format("{}: step {}, {}: {}", name_, i, chosen->name, wrong);
      for (const auto& [name, value] : settings_) text += fmt::format("; {}={}", name, value);
      return text;
    }
  }
  return {};
}

std::string BrokerModel::perform(std::string_view name) {
  try {
    for (const Step& step : steps()) {
      if (step.name != name) continue;
      if (auto wrong = (this->*step.take)(); !wrong.empty()) return wrong;
    }
    return check_offsets();
  } catch (const std::system_error& error) {  // of value()
    return error.what();
  }
}

std::int64_t BrokerModel::random_offset(PartitionId id) {
  const ReferenceLog& log = references_[index(id)];
  const auto span = static_cast<std::uint64_t>(log.end() - log.start());
  return log.start() - 2 + static_cast<std::int64_t>(random(span + 5));
}

ModelRecord BrokerModel::make_record() {
  ModelRecord record;
  const auto now = clock_.now().milliseconds();
  record.time = chance(5) ? now - static_cast<std::int64_t>(random(100'000)) : now;
  if (compacts_ || !chance(4)) record.key = "key-" + std::to_string(random(8));
  if (!chance(8)) {
    record.value = "value-" + std::to_string(next_value_++);
    record.value->resize(record.value->size() + random(chance(8) ? 900 : 90), '.');
  }
  return record;
}

std::vector<ModelRecord> BrokerModel::make_batch() {
  std::vector<ModelRecord> records;
  const std::uint64_t count = 1 + random(chance(5) ? 12 : 4);
  std::size_t bytes = 0;
  for (std::uint64_t i = 0; i < count && bytes < 2500; ++i) {
    records.push_back(make_record());
    bytes += records.back().value.value_or("").size();
  }
  return records;
}

std::string BrokerModel::check_offsets() {
  for (PartitionId id = 0; id < partitions; ++id) {
    const ReferenceLog& reference = references_[index(id)];
    const storage::Log& log = core(id).log();
    if (log.log_start_offset() > log.high_watermark() ||
        log.high_watermark() > log.log_end_offset()) {
      return "log start, high watermark and log end are out of order";
    }
    if (log.log_end_offset().value() != reference.end()) {
      return fmt::format("partition {} ends at {} instead of {}", id, log.log_end_offset().value(),
                         reference.end());
    }
    for (const Text* view : views()) {
      const Offsets offsets = partition(*view, id).offsets();
      if (offsets.start.value() == reference.start() && offsets.end.value() == reference.end()) {
        continue;
      }
      return fmt::format("partition {} has [{}, {}) instead of [{}, {}){}", id,
                         offsets.start.value(), offsets.end.value(), reference.start(),
                         reference.end(), view == &*topic_ ? "" : " in an attachment");
    }
  }
  return {};
}

std::string BrokerModel::check_scan(PartitionId id) {
  for (const Text* view : views()) {
    ReferenceLog& reference = references_[index(id)];
    std::vector<ModelRecord> found;
    auto scan = partition(*view, id).scan(Offset{reference.start()});
    for (const auto& record : scan) {
      found.push_back(plain_record({record.offset(), record.timestamp(), record.raw_key(),
                                    record.raw_value(), record.headers()}));
    }
    const std::string where = view == &*topic_ ? "scan: " : "scan of an attachment: ";
    if (!scan.status()) return where + scan.status().error().message();
    if (auto wrong = reference.settle(found); !wrong.empty()) return where + wrong;
  }
  return {};
}

std::string BrokerModel::check_all() {
  for (PartitionId id = 0; id < partitions; ++id) {
    if (auto wrong = check_scan(id); !wrong.empty()) return wrong;
  }
  return check_offsets();
}

// What a log keeps is its own business; what it drops must be allowed to go.
std::string BrokerModel::check_dropped(PartitionId id, std::int64_t new_start) {
  const ReferenceLog& reference = references_[index(id)];
  if (new_start < reference.start()) return "the log's start fell";
  if (new_start > reference.end()) return "the log starts behind its end";
  const std::int64_t age = std::stoll(settings_.at("retention.ms"));
  const std::int64_t horizon = clock_.now().milliseconds() - age;
  const bool by_size = settings_.count("retention.bytes") != 0;
  if (!deletes_ && new_start != reference.start()) return "records were dropped without a policy";
  if (by_size) {
    const bool kept_enough =
        core(id).log().size_bytes() >= std::stoull(settings_.at("retention.bytes"));
    const auto youngest = reference.largest_time(reference.start(), new_start);
    if (youngest && !kept_enough && (age < 0 || *youngest >= horizon)) {
      return "retention kept less than retention.bytes";
    }
    return {};
  }
  const auto dropped = reference.largest_time(reference.start(), new_start);
  if (dropped && (age < 0 || *dropped >= horizon)) return "retention dropped a young record";
  const auto kept = reference.largest_time(new_start, reference.end());
  if (!compacts_ && age >= 0 && kept && *kept < horizon) return "retention kept old records only";
  return {};
}

std::string BrokerModel::after_cleaning(PartitionId id) {
  const std::int64_t new_start = core(id).log().log_start_offset().value();
  if (auto wrong = check_dropped(id, new_start); !wrong.empty()) return wrong;
  ReferenceLog& reference = references_[index(id)];
  reference.raise_start(new_start);
  if (compacts_) {
    const auto list = core(id).log().segments().value();
    const std::int64_t below =
        list->segments.empty() ? 0 : list->segments.back()->base_offset().value();
    reference.compacted(below, clock_.now().milliseconds(), delete_retention_ms);
  }
  return check_scan(id);
}

}  // namespace millrace::test
