#include "server/wire_errors.hpp"

namespace millrace::inline v0::server {

using protocol::WireError;

WireError to_wire(Errc code) noexcept {
  switch (code) {
    case Errc::invalid_argument:
    case Errc::serialization:
      return WireError::invalid_request;
    case Errc::invalid_topic:
      return WireError::invalid_topic_exception;
    case Errc::topic_exists:
      return WireError::topic_already_exists;
    case Errc::unknown_topic:
    case Errc::unknown_partition:
      return WireError::unknown_topic_or_partition;
    case Errc::record_too_large:
      return WireError::message_too_large;
    case Errc::invalid_record:
      return WireError::invalid_record;
    case Errc::offset_out_of_range:
      return WireError::offset_out_of_range;
    case Errc::corrupt_data:
      return WireError::corrupt_message;
    case Errc::foreign_directory:
    case Errc::newer_format:
    case Errc::directory_locked:
    case Errc::read_only:
    case Errc::no_space:
    case Errc::io_error:
    case Errc::log_failed:
      return WireError::kafka_storage_error;
    case Errc::closed:
      return WireError::not_leader_or_follower;
    case Errc::back_pressure:
      return WireError::throttling_quota_exceeded;
    case Errc::unsupported:
      return WireError::unsupported_compression_type;
    case Errc::unknown_group:
      return WireError::group_id_not_found;
    case Errc::unknown_member:
      return WireError::unknown_member_id;
    case Errc::illegal_generation:
      return WireError::illegal_generation;
    case Errc::rebalance_in_progress:
      return WireError::rebalance_in_progress;
    case Errc::fenced_instance:
      return WireError::fenced_instance_id;
    case Errc::inconsistent_protocol:
      return WireError::inconsistent_group_protocol;
    case Errc::member_id_required:
      return WireError::member_id_required;
    case Errc::group_full:
      return WireError::group_max_size_reached;
    case Errc::group_not_empty:
      return WireError::non_empty_group;
    case Errc::out_of_order_sequence:
      return WireError::out_of_order_sequence_number;
    case Errc::invalid_producer_epoch:
      return WireError::invalid_producer_epoch;
    case Errc::invalid_transaction_state:
      return WireError::invalid_txn_state;
    case Errc::transaction_coordinator_fenced:
      return WireError::transaction_coordinator_fenced;
    case Errc::producer_fenced:
      return WireError::producer_fenced;
    case Errc::concurrent_transactions:
      return WireError::concurrent_transactions;
    case Errc::unknown_transactional_id:
      return WireError::transactional_id_not_found;
  }
  return WireError::unknown_server_error;
}

}  // namespace millrace::inline v0::server
