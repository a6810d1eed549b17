#include <algorithm>
#include <array>
#include <millrace/protocol/api_table.hpp>

namespace millrace::inline v0::protocol {
namespace {

constexpr std::array table = {
    ApiRange{ApiKey::produce, "Produce", between(0, 11), since(9)},
    ApiRange{ApiKey::fetch, "Fetch", between(0, 16), since(12)},
    ApiRange{ApiKey::list_offsets, "ListOffsets", between(0, 9), since(6)},
    ApiRange{ApiKey::metadata, "Metadata", between(0, 12), since(9)},
    ApiRange{ApiKey::offset_commit, "OffsetCommit", between(1, 9), since(8)},
    ApiRange{ApiKey::offset_fetch, "OffsetFetch", between(1, 9), since(6)},
    ApiRange{ApiKey::find_coordinator, "FindCoordinator", between(0, 6), since(3)},
    ApiRange{ApiKey::join_group, "JoinGroup", between(0, 9), since(6)},
    ApiRange{ApiKey::heartbeat, "Heartbeat", between(0, 4), since(4)},
    ApiRange{ApiKey::leave_group, "LeaveGroup", between(0, 5), since(4)},
    ApiRange{ApiKey::sync_group, "SyncGroup", between(0, 5), since(4)},
    ApiRange{ApiKey::describe_groups, "DescribeGroups", between(0, 5), since(5)},
    ApiRange{ApiKey::list_groups, "ListGroups", between(0, 5), since(3)},
    ApiRange{ApiKey::sasl_handshake, "SaslHandshake", between(0, 1), no_versions},
    ApiRange{ApiKey::api_versions, "ApiVersions", between(0, 4), since(3)},
    ApiRange{ApiKey::create_topics, "CreateTopics", between(0, 7), since(5)},
    ApiRange{ApiKey::delete_topics, "DeleteTopics", between(0, 6), since(4)},
    ApiRange{ApiKey::delete_records, "DeleteRecords", between(0, 2), since(2)},
    ApiRange{ApiKey::init_producer_id, "InitProducerId", between(0, 5), since(2)},
    ApiRange{ApiKey::offset_for_leader_epoch, "OffsetForLeaderEpoch", between(0, 4), since(4)},
    ApiRange{ApiKey::add_partitions_to_txn, "AddPartitionsToTxn", between(0, 3), since(3)},
    ApiRange{ApiKey::add_offsets_to_txn, "AddOffsetsToTxn", between(0, 4), since(3)},
    ApiRange{ApiKey::end_txn, "EndTxn", between(0, 4), since(3)},
    ApiRange{ApiKey::write_txn_markers, "WriteTxnMarkers", between(0, 1), since(1)},
    ApiRange{ApiKey::txn_offset_commit, "TxnOffsetCommit", between(0, 4), since(3)},
    ApiRange{ApiKey::describe_acls, "DescribeAcls", between(0, 3), since(2)},
    ApiRange{ApiKey::create_acls, "CreateAcls", between(0, 3), since(2)},
    ApiRange{ApiKey::delete_acls, "DeleteAcls", between(0, 3), since(2)},
    ApiRange{ApiKey::describe_configs, "DescribeConfigs", between(0, 4), since(4)},
    ApiRange{ApiKey::alter_configs, "AlterConfigs", between(0, 2), since(2)},
    ApiRange{ApiKey::alter_replica_log_dirs, "AlterReplicaLogDirs", between(0, 2), since(2)},
    ApiRange{ApiKey::describe_log_dirs, "DescribeLogDirs", between(0, 4), since(2)},
    ApiRange{ApiKey::sasl_authenticate, "SaslAuthenticate", between(0, 2), since(2)},
    ApiRange{ApiKey::create_partitions, "CreatePartitions", between(0, 3), since(2)},
    ApiRange{ApiKey::delete_groups, "DeleteGroups", between(0, 2), since(2)},
    ApiRange{ApiKey::elect_leaders, "ElectLeaders", between(0, 2), since(2)},
    ApiRange{ApiKey::incremental_alter_configs, "IncrementalAlterConfigs", between(0, 1), since(1)},
    ApiRange{ApiKey::alter_partition_reassignments, "AlterPartitionReassignments", between(0, 0),
             since(0)},
    ApiRange{ApiKey::list_partition_reassignments, "ListPartitionReassignments", between(0, 0),
             since(0)},
    ApiRange{ApiKey::offset_delete, "OffsetDelete", between(0, 0), no_versions},
    ApiRange{ApiKey::describe_client_quotas, "DescribeClientQuotas", between(0, 1), since(1)},
    ApiRange{ApiKey::alter_client_quotas, "AlterClientQuotas", between(0, 1), since(1)},
    ApiRange{ApiKey::describe_user_scram_credentials, "DescribeUserScramCredentials", between(0, 0),
             since(0)},
    ApiRange{ApiKey::alter_user_scram_credentials, "AlterUserScramCredentials", between(0, 0),
             since(0)},
    ApiRange{ApiKey::describe_cluster, "DescribeCluster", between(0, 1), since(0)},
    ApiRange{ApiKey::describe_producers, "DescribeProducers", between(0, 0), since(0)},
    ApiRange{ApiKey::describe_transactions, "DescribeTransactions", between(0, 0), since(0)},
    ApiRange{ApiKey::list_transactions, "ListTransactions", between(0, 1), since(0)},
    ApiRange{ApiKey::describe_topic_partitions, "DescribeTopicPartitions", between(0, 0), since(0)},
};

}  // namespace

std::span<const ApiRange> api_table() noexcept {
  return table;
}

const ApiRange* find_api(ApiKey key) noexcept {
  const auto found = std::lower_bound(table.begin(), table.end(), key,
                                      [](const ApiRange& api, ApiKey k) { return api.key < k; });
  return found != table.end() && found->key == key ? &*found : nullptr;
}

std::string_view api_name(ApiKey key) noexcept {
  const ApiRange* const api = find_api(key);
  return api != nullptr ? api->name : "unknown API";
}

}  // namespace millrace::inline v0::protocol
