#pragma once
#include <cstdint>
#include <millrace/coordinator/topic_partition.hpp>
#include <millrace/core/bytes.hpp>
#include <millrace/core/result.hpp>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace millrace::inline v0::coordinator {

/// The protocol type by which consumers join a group; others, like "connect", have other bytes.
inline constexpr std::string_view consumer_protocol_type = "consumer";
/// The highest version of Subscription and Assignment, written unless another is asked for. Clients
/// that know only a lower one read as much of it as they know.
inline constexpr std::int16_t consumer_protocol_version = 3;

/// What a consumer tells the group's leader when it joins: Kafka's ConsumerProtocolSubscription.
struct Subscription {
  std::vector<std::string> topics;
  /// For the assignor; nullopt is null, which is not the same as empty.
  std::optional<std::vector<std::byte>> user_data;
  /// What it still has of its last assignment, from version 1 on; in no particular order.
  std::vector<TopicPartition> owned_partitions;
  /// The generation in which it got them, from version 2 on; nullopt is unknown.
  std::optional<std::int32_t> generation_id;
  /// From version 3 on.
  std::optional<std::string> rack_id;
  friend bool operator==(const Subscription&, const Subscription&) = default;
};

/// What the leader gives a consumer to read: Kafka's ConsumerProtocolAssignment.
struct Assignment {
  std::vector<TopicPartition> partitions;
  std::optional<std::vector<std::byte>> user_data;
  friend bool operator==(const Assignment&, const Assignment&) = default;
};

/// The bytes with their version in front. Partitions are gathered by topic, topics in the order of
/// their first partition. What the version does not have is left out. Errc::invalid_argument if the
/// version is not in [0, consumer_protocol_version] or a text is longer than the format allows.
Result<std::vector<std::byte>> encode(const Subscription& subscription,
                                      std::int16_t version = consumer_protocol_version);
Result<std::vector<std::byte>> encode(const Assignment& assignment,
                                      std::int16_t version = consumer_protocol_version);

/// From bytes as encode() or a Kafka client writes them. Of a higher version what this one knows
/// is read and the rest left. Errc::corrupt_data if they are cut short or make no sense.
Result<Subscription> decode_subscription(Bytes bytes);
/// The same; no bytes at all, which a member gets that the leader did not name, are an empty
/// assignment.
Result<Assignment> decode_assignment(Bytes bytes);

}  // namespace millrace::inline v0::coordinator
