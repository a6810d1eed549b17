#pragma once
#include <cstdint>
#include <millrace/coordinator/assignor.hpp>
#include <millrace/coordinator/consumer_protocol.hpp>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace millrace::inline v0::coordinator {

/// What a member sends as its subscription's user data, so that a leader of any Kafka client knows
/// what it had: for "sticky" the partitions and their generation (such a member has revoked all of
/// them before it joins), for "cooperative-sticky" the generation, for all others null, nullopt.
/// Errc::invalid_argument if a topic's name is longer than the format allows.
Result<std::optional<std::vector<std::byte>>> user_data_for(
    std::string_view assignor, std::span<const TopicPartition> owned,
    std::optional<std::int32_t> generation_id);

/// What a leader that runs `assignor` takes from a subscription: owned partitions and generation
/// from its fields or, as Kafka's clients of that assignor do, from its user data. User data that
/// cannot be read are passed over.
MemberSubscription to_member(std::string member_id, std::optional<std::string> instance_id,
                             const Subscription& subscription, std::string_view assignor);

}  // namespace millrace::inline v0::coordinator
