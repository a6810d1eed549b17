#include "server/kafka/request_table.hpp"

#include <algorithm>
#include <array>

#include "server/kafka/admin_handlers.hpp"
#include "server/kafka/authentication.hpp"
#include "server/kafka/handlers.hpp"
#include "server/kafka/transaction_handlers.hpp"

namespace millrace::inline v0::server {
namespace {

using protocol::ApiKey;
using enum RequestHandler::Where;

constexpr std::array handlers = {
    RequestHandler{ApiKey::produce, loop, produce},
    RequestHandler{ApiKey::fetch, loop, fetch},
    RequestHandler{ApiKey::list_offsets, worker,
                   answer_with<protocol::ListOffsetsRequest, list_offsets>},
    RequestHandler{ApiKey::metadata, worker, answer_with<protocol::MetadataRequest, metadata>},
    RequestHandler{ApiKey::offset_commit, worker,
                   answer_with<protocol::OffsetCommitRequest, offset_commit>},
    RequestHandler{ApiKey::offset_fetch, worker,
                   answer_with<protocol::OffsetFetchRequest, offset_fetch>},
    RequestHandler{ApiKey::find_coordinator, loop,
                   answer_with<protocol::FindCoordinatorRequest, find_coordinator>},
    RequestHandler{ApiKey::join_group, worker, join_group},
    RequestHandler{ApiKey::heartbeat, worker, answer_with<protocol::HeartbeatRequest, heartbeat>},
    RequestHandler{ApiKey::leave_group, worker,
                   answer_with<protocol::LeaveGroupRequest, leave_group>},
    RequestHandler{ApiKey::sync_group, worker, sync_group},
    RequestHandler{ApiKey::describe_groups, worker, describe_groups},
    RequestHandler{ApiKey::list_groups, worker,
                   answer_with<protocol::ListGroupsRequest, list_groups>},
    RequestHandler{ApiKey::sasl_handshake, loop,
                   answer_with<protocol::SaslHandshakeRequest, sasl_handshake>},
    RequestHandler{ApiKey::api_versions, loop,
                   answer_with<protocol::ApiVersionsRequest, api_versions>},
    RequestHandler{ApiKey::create_topics, worker,
                   answer_with<protocol::CreateTopicsRequest, create_topics>},
    RequestHandler{ApiKey::delete_topics, worker,
                   answer_with<protocol::DeleteTopicsRequest, delete_topics>},
    RequestHandler{ApiKey::delete_records, worker,
                   answer_with<protocol::DeleteRecordsRequest, delete_records>},
    RequestHandler{ApiKey::init_producer_id, worker,
                   answer_with<protocol::InitProducerIdRequest, init_producer_id>},
    RequestHandler{ApiKey::offset_for_leader_epoch, worker,
                   answer_with<protocol::OffsetForLeaderEpochRequest, offset_for_leader_epoch>},
    RequestHandler{ApiKey::add_partitions_to_txn, worker,
                   answer_with<protocol::AddPartitionsToTxnRequest, add_partitions_to_txn>},
    RequestHandler{ApiKey::add_offsets_to_txn, worker,
                   answer_with<protocol::AddOffsetsToTxnRequest, add_offsets_to_txn>},
    RequestHandler{ApiKey::end_txn, worker, answer_with<protocol::EndTxnRequest, end_txn>},
    RequestHandler{ApiKey::write_txn_markers, worker,
                   answer_with<protocol::WriteTxnMarkersRequest, write_txn_markers>},
    RequestHandler{ApiKey::txn_offset_commit, worker,
                   answer_with<protocol::TxnOffsetCommitRequest, txn_offset_commit>},
    RequestHandler{ApiKey::describe_acls, loop,
                   answer_with<protocol::DescribeAclsRequest, describe_acls>},
    RequestHandler{ApiKey::describe_configs, worker,
                   answer_with<protocol::DescribeConfigsRequest, describe_configs>},
    RequestHandler{ApiKey::alter_configs, worker,
                   answer_with<protocol::AlterConfigsRequest, alter_configs>},
    RequestHandler{ApiKey::alter_replica_log_dirs, worker,
                   answer_with<protocol::AlterReplicaLogDirsRequest, alter_replica_log_dirs>},
    RequestHandler{ApiKey::describe_log_dirs, worker,
                   answer_with<protocol::DescribeLogDirsRequest, describe_log_dirs>},
    RequestHandler{ApiKey::sasl_authenticate, worker, sasl_authenticate},
    RequestHandler{ApiKey::create_partitions, worker,
                   answer_with<protocol::CreatePartitionsRequest, create_partitions>},
    RequestHandler{ApiKey::delete_groups, worker,
                   answer_with<protocol::DeleteGroupsRequest, delete_groups>},
    RequestHandler{ApiKey::elect_leaders, worker,
                   answer_with<protocol::ElectLeadersRequest, elect_leaders>},
    RequestHandler{
        ApiKey::incremental_alter_configs, worker,
        answer_with<protocol::IncrementalAlterConfigsRequest, incremental_alter_configs>},
    RequestHandler{
        ApiKey::alter_partition_reassignments, worker,
        answer_with<protocol::AlterPartitionReassignmentsRequest, alter_partition_reassignments>},
    RequestHandler{
        ApiKey::list_partition_reassignments, loop,
        answer_with<protocol::ListPartitionReassignmentsRequest, list_partition_reassignments>},
    RequestHandler{ApiKey::offset_delete, worker,
                   answer_with<protocol::OffsetDeleteRequest, offset_delete>},
    RequestHandler{ApiKey::describe_cluster, loop,
                   answer_with<protocol::DescribeClusterRequest, describe_cluster>},
    RequestHandler{ApiKey::describe_producers, worker,
                   answer_with<protocol::DescribeProducersRequest, describe_producers>},
    RequestHandler{ApiKey::describe_transactions, worker,
                   answer_with<protocol::DescribeTransactionsRequest, describe_transactions>},
    RequestHandler{ApiKey::list_transactions, worker,
                   answer_with<protocol::ListTransactionsRequest, list_transactions>},
    RequestHandler{
        ApiKey::describe_topic_partitions, worker,
        answer_with<protocol::DescribeTopicPartitionsRequest, describe_topic_partitions>},
};

constexpr auto by_key = [](const RequestHandler& left, const RequestHandler& right) {
  return left.key < right.key;
};
static_assert(std::is_sorted(handlers.begin(), handlers.end(), by_key));

}  // namespace

std::span<const RequestHandler> request_table() noexcept {
  return handlers;
}

const RequestHandler* find_handler(ApiKey key) noexcept {
  const auto found = std::lower_bound(handlers.begin(), handlers.end(),
                                      RequestHandler{key, loop, nullptr}, by_key);
  return found != handlers.end() && found->key == key ? &*found : nullptr;
}

}  // namespace millrace::inline v0::server
