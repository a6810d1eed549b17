#pragma once
#include <millrace/protocol/message_codec.hpp>
#include <millrace/protocol/messages/add_offsets_to_txn.hpp>
#include <millrace/protocol/messages/add_partitions_to_txn.hpp>
#include <millrace/protocol/messages/alter_client_quotas.hpp>
#include <millrace/protocol/messages/alter_configs.hpp>
#include <millrace/protocol/messages/alter_partition_reassignments.hpp>
#include <millrace/protocol/messages/alter_replica_log_dirs.hpp>
#include <millrace/protocol/messages/alter_user_scram_credentials.hpp>
#include <millrace/protocol/messages/api_versions.hpp>
#include <millrace/protocol/messages/create_acls.hpp>
#include <millrace/protocol/messages/create_partitions.hpp>
#include <millrace/protocol/messages/create_topics.hpp>
#include <millrace/protocol/messages/delete_acls.hpp>
#include <millrace/protocol/messages/delete_groups.hpp>
#include <millrace/protocol/messages/delete_records.hpp>
#include <millrace/protocol/messages/delete_topics.hpp>
#include <millrace/protocol/messages/describe_acls.hpp>
#include <millrace/protocol/messages/describe_client_quotas.hpp>
#include <millrace/protocol/messages/describe_cluster.hpp>
#include <millrace/protocol/messages/describe_configs.hpp>
#include <millrace/protocol/messages/describe_groups.hpp>
#include <millrace/protocol/messages/describe_log_dirs.hpp>
#include <millrace/protocol/messages/describe_producers.hpp>
#include <millrace/protocol/messages/describe_topic_partitions.hpp>
#include <millrace/protocol/messages/describe_transactions.hpp>
#include <millrace/protocol/messages/describe_user_scram_credentials.hpp>
#include <millrace/protocol/messages/elect_leaders.hpp>
#include <millrace/protocol/messages/end_txn.hpp>
#include <millrace/protocol/messages/fetch.hpp>
#include <millrace/protocol/messages/find_coordinator.hpp>
#include <millrace/protocol/messages/heartbeat.hpp>
#include <millrace/protocol/messages/incremental_alter_configs.hpp>
#include <millrace/protocol/messages/init_producer_id.hpp>
#include <millrace/protocol/messages/join_group.hpp>
#include <millrace/protocol/messages/leave_group.hpp>
#include <millrace/protocol/messages/list_groups.hpp>
#include <millrace/protocol/messages/list_offsets.hpp>
#include <millrace/protocol/messages/list_partition_reassignments.hpp>
#include <millrace/protocol/messages/list_transactions.hpp>
#include <millrace/protocol/messages/metadata.hpp>
#include <millrace/protocol/messages/offset_commit.hpp>
#include <millrace/protocol/messages/offset_delete.hpp>
#include <millrace/protocol/messages/offset_fetch.hpp>
#include <millrace/protocol/messages/offset_for_leader_epoch.hpp>
#include <millrace/protocol/messages/produce.hpp>
#include <millrace/protocol/messages/sasl_authenticate.hpp>
#include <millrace/protocol/messages/sasl_handshake.hpp>
#include <millrace/protocol/messages/sync_group.hpp>
#include <millrace/protocol/messages/txn_offset_commit.hpp>
#include <millrace/protocol/messages/write_txn_markers.hpp>
#include <tuple>

namespace millrace::test {

using namespace millrace::protocol;

/// Every request and response there is, by ascending key.
using AllMessages = std::tuple<
    ProduceRequest, ProduceResponse, FetchRequest, FetchResponse, ListOffsetsRequest,
    ListOffsetsResponse, MetadataRequest, MetadataResponse, OffsetCommitRequest,
    OffsetCommitResponse, OffsetFetchRequest, OffsetFetchResponse, FindCoordinatorRequest,
    FindCoordinatorResponse, JoinGroupRequest, JoinGroupResponse, HeartbeatRequest,
    HeartbeatResponse, LeaveGroupRequest, LeaveGroupResponse, SyncGroupRequest, SyncGroupResponse,
    DescribeGroupsRequest, DescribeGroupsResponse, ListGroupsRequest, ListGroupsResponse,
    SaslHandshakeRequest, SaslHandshakeResponse, ApiVersionsRequest, ApiVersionsResponse,
    CreateTopicsRequest, CreateTopicsResponse, DeleteTopicsRequest, DeleteTopicsResponse,
    DeleteRecordsRequest, DeleteRecordsResponse, InitProducerIdRequest, InitProducerIdResponse,
    OffsetForLeaderEpochRequest, OffsetForLeaderEpochResponse, AddPartitionsToTxnRequest,
    AddPartitionsToTxnResponse, AddOffsetsToTxnRequest, AddOffsetsToTxnResponse, EndTxnRequest,
    EndTxnResponse, WriteTxnMarkersRequest, WriteTxnMarkersResponse, TxnOffsetCommitRequest,
    TxnOffsetCommitResponse, DescribeAclsRequest, DescribeAclsResponse, CreateAclsRequest,
    CreateAclsResponse, DeleteAclsRequest, DeleteAclsResponse, DescribeConfigsRequest,
    DescribeConfigsResponse, AlterConfigsRequest, AlterConfigsResponse, AlterReplicaLogDirsRequest,
    AlterReplicaLogDirsResponse, DescribeLogDirsRequest, DescribeLogDirsResponse,
    SaslAuthenticateRequest, SaslAuthenticateResponse, CreatePartitionsRequest,
    CreatePartitionsResponse, DeleteGroupsRequest, DeleteGroupsResponse, ElectLeadersRequest,
    ElectLeadersResponse, IncrementalAlterConfigsRequest, IncrementalAlterConfigsResponse,
    AlterPartitionReassignmentsRequest, AlterPartitionReassignmentsResponse,
    ListPartitionReassignmentsRequest, ListPartitionReassignmentsResponse, OffsetDeleteRequest,
    OffsetDeleteResponse, DescribeClientQuotasRequest, DescribeClientQuotasResponse,
    AlterClientQuotasRequest, AlterClientQuotasResponse, DescribeUserScramCredentialsRequest,
    DescribeUserScramCredentialsResponse, AlterUserScramCredentialsRequest,
    AlterUserScramCredentialsResponse, DescribeClusterRequest, DescribeClusterResponse,
    DescribeProducersRequest, DescribeProducersResponse, DescribeTransactionsRequest,
    DescribeTransactionsResponse, ListTransactionsRequest, ListTransactionsResponse,
    DescribeTopicPartitionsRequest, DescribeTopicPartitionsResponse>;

/// Calls `visit.template operator()<M>()` for each of them.
template <typename Visitor>
void for_each_message(Visitor visit) {
  const auto visit_all = [&]<typename... M>(std::tuple<M...>*) {
    (visit.template operator()<M>(), ...);
  };
  visit_all(static_cast<AllMessages*>(nullptr));
}

}  // namespace millrace::test
