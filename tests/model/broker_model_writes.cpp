#include <fmt/format.h>

#include <array>
#include <millrace/record/compression.hpp>

#include "broker_model.hpp"

namespace millrace::test {
namespace {

std::optional<Bytes> viewed(const std::optional<std::string>& field) {
  if (!field) return std::nullopt;
  return as_bytes(*field);
}

record::Codec random_codec(std::uint64_t number) {
  constexpr std::array all = {record::Codec::none, record::Codec::gzip, record::Codec::snappy,
                              record::Codec::lz4, record::Codec::zstd};
  const record::Codec codec = all[number % all.size()];
  return record::codec_available(codec) ? codec : record::Codec::none;
}

}  // namespace

// Compares what an acknowledgement says, and notes the time that the log gave the record.
std::string BrokerModel::take_receipt(const Receipt& receipt, PartitionId id, std::int64_t offset,
                                      ModelRecord& record) const {
  if (receipt.partition != id || receipt.offset.value() != offset) {
    return fmt::format("the receipt is of {}:{} instead of {}:{}", receipt.partition,
                       receipt.offset.value(), id, offset);
  }
  const bool flushed = settings_.at("millrace.flush.policy") == "before_ack";
  if ((receipt.durability == Durability::flushed) != flushed) {
    return "the receipt speaks of another durability";
  }
  if (stamps_) record.time = clock_.now().milliseconds();
  if (receipt.timestamp.milliseconds() != record.time) return "the receipt has another time";
  return {};
}

std::string BrokerModel::append_single() {
  const PartitionId id = pick();
  ReferenceLog& reference = references_[index(id)];
  ModelRecord record = make_record();
  std::vector<Header> headers;
  if (chance(4)) {
    headers = {{"a", as_bytes("1")}, {"b", std::nullopt}};
    record.headers = "a=1;b=<null>;";
  }
  const auto receipt =
      partition(*topic_, id)
          .handle()
          .append(viewed(record.key), viewed(record.value), headers, Timestamp{record.time})
          .value();
  auto wrong = take_receipt(receipt, id, reference.end(), record);
  reference.append({record});
  return wrong;
}

std::string BrokerModel::append_batch() {
  const PartitionId id = pick();
  ReferenceLog& reference = references_[index(id)];
  auto records = make_batch();
  record::BatchBuilder builder({.codec = random_codec(rng_())});
  for (const ModelRecord& record : records) {
    builder.add(Timestamp{record.time}, viewed(record.key), viewed(record.value)).value();
  }
  const auto receipt = partition(*topic_, id).handle().append(builder).value();
  auto wrong = take_receipt(receipt, id, reference.end(), records.front());
  for (ModelRecord& record : records) {
    if (stamps_) record.time = clock_.now().milliseconds();
  }
  reference.append(std::move(records));
  return wrong;
}

std::string BrokerModel::produce() {
  ProducerOptions options;
  options.batch_bytes = 100 + random(6000);
  options.linger = std::chrono::milliseconds(random(3));
  options.buffer_bytes = 2000 + random(100'000);
  if (!chance(3)) options.compression = random_codec(rng_());
  Producer producer{*topic_, options};
  struct Sent {
    PendingReceipt receipt;
    PartitionId partition;
    std::int64_t offset;
    ModelRecord record;
  };
  std::vector<Sent> sent;
  std::array<std::int64_t, partitions> next{references_[0].end(), references_[1].end()};
  const std::uint64_t count = 1 + random(30);
  for (std::uint64_t i = 0; i < count; ++i) {
    const PartitionId id = pick();
    const ModelRecord record = make_record();
    auto receipt = producer.send_with({.partition = id, .timestamp = Timestamp{record.time}},
                                      record.key ? &*record.key : nullptr,
                                      record.value ? &*record.value : nullptr);
    if (!receipt.accepted()) return "a send was refused";
    sent.push_back({receipt, id, next[index(id)]++, record});
    if (chance(10)) receipt.get().value();
  }
  producer.flush().value();
  std::string wrong;
  for (Sent& one : sent) {
    if (!one.receipt.is_done()) return "flush() left a record without a receipt";
    auto found = take_receipt(one.receipt.get().value(), one.partition, one.offset, one.record);
    if (wrong.empty()) wrong = std::move(found);
    references_[index(one.partition)].append({one.record});
  }
  return wrong;
}

std::string BrokerModel::flush() {
  const PartitionId id = pick();
  partition(*topic_, id).flush().value();
  const std::int64_t flushed = core(id).log().flushed_offset().value();
  return flushed == reference(id).end() ? std::string() : "flush() left records unflushed";
}

std::string BrokerModel::roll() {
  core(pick()).log().roll().value();
  return {};
}

std::string BrokerModel::delete_before() {
  const PartitionId id = pick();
  const std::int64_t offset = random_offset(id);
  const auto deleted = core(id).log().delete_before(Offset{offset});
  if (offset > reference(id).end()) {
    const bool refused = !deleted && deleted.error().code() == Errc::offset_out_of_range;
    return refused ? std::string() : "records behind the end were deleted";
  }
  deleted.value();
  reference(id).raise_start(offset);
  return {};
}

std::string BrokerModel::clean() {
  clock_.advance(std::chrono::seconds(random(1500)));
  broker_->run_pending();
  for (PartitionId id = 0; id < partitions; ++id) {
    if (auto wrong = after_cleaning(id); !wrong.empty()) return wrong;
  }
  return {};
}

std::string BrokerModel::compact() {
  if (!compacts_) return {};
  const PartitionId id = pick();
  core(id).log().compact(true).value();
  return after_cleaning(id);
}

std::string BrokerModel::alter() {
  TopicSettings changed = settings();
  TopicSettings changes = changed;
  for (const auto& [name, value] : settings_) changes.emplace(name, "");
  broker_->alter_topic("model", changes).value();
  settings_ = std::move(changed);
  return {};
}

std::string BrokerModel::reopen() {
  if (path_ == ":memory:") return {};
  std::erase_if(followers_, [](const Follower& follower) { return !follower.attached; });
  topic_.reset();
  broker_->close().value();
  broker_.reset();
  if (attached_topic_ && chance(2)) {
    for (PartitionId id = 0; id < partitions; ++id) {
      const Offsets offsets = partition(*attached_topic_, id).offsets();
      if (offsets.end.value() != reference(id).end()) return "a closed log shows another end";
    }
  }
  open();
  for (const auto& partition : broker_->recovery_report()) {
    if (partition.how != "clean") return "after a close: " + partition.how;
  }
  return check_all();
}

std::string BrokerModel::attach() {
  if (path_ == ":memory:") return {};
  std::erase_if(followers_, [](const Follower& follower) { return follower.attached; });
  attached_.emplace(Broker::attach(path_, {.clock = &clock_}).value());
  attached_topic_.emplace(attached_->topic<std::string, std::string>("model").value());
  return check_all();
}

}  // namespace millrace::test
