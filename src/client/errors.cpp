#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <millrace/client/errors.hpp>

namespace millrace::inline v0::client {
namespace {

using protocol::WireError;

struct Pair {
  WireError wire;
  Errc code;
};

constexpr std::array pairs = {
    Pair{WireError::invalid_request, Errc::invalid_argument},
    Pair{WireError::invalid_config, Errc::invalid_argument},
    Pair{WireError::invalid_partitions, Errc::invalid_argument},
    Pair{WireError::invalid_replication_factor, Errc::invalid_argument},
    Pair{WireError::invalid_group_id, Errc::invalid_argument},
    Pair{WireError::invalid_session_timeout, Errc::invalid_argument},
    Pair{WireError::invalid_transaction_timeout, Errc::invalid_argument},
    Pair{WireError::invalid_topic_exception, Errc::invalid_topic},
    Pair{WireError::topic_already_exists, Errc::topic_exists},
    Pair{WireError::unknown_topic_or_partition, Errc::unknown_topic},
    Pair{WireError::unknown_topic_id, Errc::unknown_topic},
    Pair{WireError::message_too_large, Errc::record_too_large},
    Pair{WireError::record_list_too_large, Errc::record_too_large},
    Pair{WireError::invalid_record, Errc::invalid_record},
    Pair{WireError::invalid_timestamp, Errc::invalid_record},
    Pair{WireError::offset_out_of_range, Errc::offset_out_of_range},
    Pair{WireError::corrupt_message, Errc::corrupt_data},
    Pair{WireError::kafka_storage_error, Errc::io_error},
    Pair{WireError::throttling_quota_exceeded, Errc::back_pressure},
    Pair{WireError::group_id_not_found, Errc::unknown_group},
    Pair{WireError::unknown_member_id, Errc::unknown_member},
    Pair{WireError::illegal_generation, Errc::illegal_generation},
    Pair{WireError::rebalance_in_progress, Errc::rebalance_in_progress},
    Pair{WireError::fenced_instance_id, Errc::fenced_instance},
    Pair{WireError::inconsistent_group_protocol, Errc::inconsistent_protocol},
    Pair{WireError::member_id_required, Errc::member_id_required},
    Pair{WireError::group_max_size_reached, Errc::group_full},
    Pair{WireError::non_empty_group, Errc::group_not_empty},
    Pair{WireError::out_of_order_sequence_number, Errc::out_of_order_sequence},
    Pair{WireError::invalid_producer_epoch, Errc::invalid_producer_epoch},
    Pair{WireError::invalid_txn_state, Errc::invalid_transaction_state},
    Pair{WireError::transaction_coordinator_fenced, Errc::transaction_coordinator_fenced},
    Pair{WireError::producer_fenced, Errc::producer_fenced},
    Pair{WireError::concurrent_transactions, Errc::concurrent_transactions},
    Pair{WireError::transactional_id_not_found, Errc::unknown_transactional_id},
};

constexpr std::array passing = {
    WireError::leader_not_available,      WireError::not_leader_or_follower,
    WireError::coordinator_not_available, WireError::coordinator_load_in_progress,
    WireError::not_coordinator,           WireError::not_controller,
    WireError::replica_not_available,     WireError::unknown_leader_epoch,
    WireError::fenced_leader_epoch,       WireError::not_enough_replicas,
    WireError::offset_not_available,      WireError::concurrent_transactions,
};

}  // namespace

Errc from_wire(WireError error) noexcept {
  const auto found = std::find_if(pairs.begin(), pairs.end(),
                                  [&](const Pair& pair) { return pair.wire == error; });
  return found != pairs.end() ? found->code : Errc::unsupported;
}

Error refused(std::string_view doing, WireError error, const std::optional<std::string>& text) {
  const auto name = wire_error_name(error);
  return {from_wire(error), text && !text->empty()
                                ? fmt::format("{}: {} (the broker answers {})", doing, *text, name)
                                : fmt::format("{}: the broker answers {} ({})", doing, name,
                                              static_cast<int>(error))};
}

Result<void> check(std::string_view doing, WireError error,
                   const std::optional<std::string>& text) {
  if (error == WireError::none) return {};
  return refused(doing, error, text);
}

bool is_passing(WireError error) noexcept {
  return std::find(passing.begin(), passing.end(), error) != passing.end();
}

}  // namespace millrace::inline v0::client
