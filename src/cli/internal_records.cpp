#include "internal_records.hpp"

#include <millrace/coordinator/consumer_protocol.hpp>
#include <millrace/coordinator/group_records.hpp>
#include <millrace/coordinator/transaction_records.hpp>

namespace millrace::inline v0::cli {
namespace {

Json as_json(const TopicPartition& partition) {
  return {{"topic", partition.topic}, {"partition", partition.partition}};
}

template <typename Partitions>
Json list_of(const Partitions& partitions) {
  Json list = Json::array();
  for (const TopicPartition& partition : partitions) list.push_back(as_json(partition));
  return list;
}

Result<Json> transaction_in(Bytes value) {
  MILLRACE_TRY(const auto transaction, coordinator::parse_transaction(value));
  Json one{{"producerId", transaction.producer.id},
           {"producerEpoch", transaction.producer.epoch},
           {"transactionTimeoutMs", transaction.timeout.count()},
           {"transactionStatus", to_string(transaction.state)},
           {"transactionPartitions", list_of(transaction.partitions)},
           {"transactionLastUpdateTimestampMs", transaction.updated.milliseconds()},
           {"transactionStartTimestampMs", transaction.started.milliseconds()}};
  for (const auto& [partition, end] : transaction.ends) {
    Json of_partition = as_json(partition);
    of_partition["endOffset"] = end.value();
    one["dataEnds"].push_back(std::move(of_partition));
  }
  return one;
}

Result<Json> offset_in(Bytes value) {
  MILLRACE_TRY(const auto committed, coordinator::parse_offset(value));
  Json one{{"offset", committed.offset.value()},
           {"leaderEpoch", static_cast<std::int32_t>(committed.leader_epoch)},
           {"metadata", committed.metadata},
           {"commitTimestamp", committed.commit_time.milliseconds()}};
  if (committed.expire_time) one["expireTimestamp"] = committed.expire_time->milliseconds();
  return one;
}

Result<Json> group_in(Bytes value) {
  MILLRACE_TRY(const auto group, coordinator::parse_group(value));
  Json one{{"protocolType", group.protocol_type},
           {"generation", group.generation},
           {"protocol", group.protocol},
           {"leader", group.leader},
           {"currentStateTimestamp", group.state_since.milliseconds()},
           {"members", Json::array()}};
  for (const coordinator::Member& member : group.members) {
    Json of_member{{"memberId", member.id},
                   {"groupInstanceId", nullptr},
                   {"clientId", member.client_id},
                   {"clientHost", member.client_host},
                   {"rebalanceTimeout", member.rebalance_timeout.count()},
                   {"sessionTimeout", member.session_timeout.count()}};
    if (member.instance_id) of_member["groupInstanceId"] = *member.instance_id;
    if (const auto assignment = coordinator::decode_assignment(member.assignment)) {
      of_member["assignment"] = list_of(assignment->partitions);
    }
    one["members"].push_back(std::move(of_member));
  }
  return one;
}

using Decode = Result<Json> (*)(Bytes);

std::optional<DecodedRecord> decode(Json key, const std::optional<Bytes>& value, Decode decode) {
  if (!value) return DecodedRecord{std::move(key), nullptr};
  auto decoded = decode(*value);
  if (!decoded) return std::nullopt;
  return DecodedRecord{std::move(key), *std::move(decoded)};
}

std::optional<DecodedRecord> decode_offsets(const record::RecordView& record) {
  const auto key = coordinator::parse_key(*record.key);
  if (!key) return std::nullopt;
  if (const auto* of = std::get_if<coordinator::OffsetKey>(&*key)) {
    return decode({{"group", of->group}, {"topic", of->topic}, {"partition", of->partition}},
                  record.value, offset_in);
  }
  if (const auto* of = std::get_if<coordinator::GroupKey>(&*key)) {
    return decode({{"group", of->group}}, record.value, group_in);
  }
  return std::nullopt;
}

std::optional<DecodedRecord> decode_transactions(const record::RecordView& record) {
  const auto id = coordinator::parse_transaction_key(*record.key);
  if (!id || !*id) return std::nullopt;
  return decode({{"transactionalId", **id}}, record.value, transaction_in);
}

}  // namespace

std::optional<DecodedRecord> decode_internal(std::string_view partition,
                                             const record::RecordView& record) {
  const std::string_view topic = partition.substr(0, partition.rfind('-'));
  if (!record.key) return std::nullopt;
  if (topic == coordinator::transactions_topic) return decode_transactions(record);
  if (topic == coordinator::offsets_topic) return decode_offsets(record);
  return std::nullopt;
}

}  // namespace millrace::inline v0::cli
