#pragma once
#include <millrace/protocol/messages/alter_configs.hpp>
#include <millrace/protocol/messages/alter_partition_reassignments.hpp>
#include <millrace/protocol/messages/alter_replica_log_dirs.hpp>
#include <millrace/protocol/messages/create_partitions.hpp>
#include <millrace/protocol/messages/delete_groups.hpp>
#include <millrace/protocol/messages/delete_records.hpp>
#include <millrace/protocol/messages/describe_acls.hpp>
#include <millrace/protocol/messages/describe_cluster.hpp>
#include <millrace/protocol/messages/describe_configs.hpp>
#include <millrace/protocol/messages/describe_log_dirs.hpp>
#include <millrace/protocol/messages/describe_topic_partitions.hpp>
#include <millrace/protocol/messages/elect_leaders.hpp>
#include <millrace/protocol/messages/incremental_alter_configs.hpp>
#include <millrace/protocol/messages/list_groups.hpp>
#include <millrace/protocol/messages/list_partition_reassignments.hpp>
#include <millrace/protocol/messages/offset_delete.hpp>
#include <millrace/protocol/messages/offset_for_leader_epoch.hpp>

#include "server/kafka/request.hpp"

/// What answers those who look after a broker: its groups, settings, partitions and itself.
namespace millrace::inline v0::server {

protocol::ListGroupsResponse list_groups(const protocol::ListGroupsRequest& message,
                                         const Request& request);
void describe_groups(Request request);
protocol::DeleteGroupsResponse delete_groups(const protocol::DeleteGroupsRequest& message,
                                             const Request& request);
protocol::OffsetDeleteResponse offset_delete(const protocol::OffsetDeleteRequest& message,
                                             const Request& request);

protocol::DescribeConfigsResponse describe_configs(const protocol::DescribeConfigsRequest& message,
                                                   const Request& request);
protocol::AlterConfigsResponse alter_configs(const protocol::AlterConfigsRequest& message,
                                             const Request& request);
protocol::IncrementalAlterConfigsResponse incremental_alter_configs(
    const protocol::IncrementalAlterConfigsRequest& message, const Request& request);

protocol::CreatePartitionsResponse create_partitions(
    const protocol::CreatePartitionsRequest& message, const Request& request);
protocol::DeleteRecordsResponse delete_records(const protocol::DeleteRecordsRequest& message,
                                               const Request& request);
protocol::OffsetForLeaderEpochResponse offset_for_leader_epoch(
    const protocol::OffsetForLeaderEpochRequest& message, const Request& request);
protocol::ElectLeadersResponse elect_leaders(const protocol::ElectLeadersRequest& message,
                                             const Request& request);
protocol::DescribeTopicPartitionsResponse describe_topic_partitions(
    const protocol::DescribeTopicPartitionsRequest& message, const Request& request);

protocol::DescribeAclsResponse describe_acls(const protocol::DescribeAclsRequest& message,
                                             const Request& request);
protocol::DescribeClusterResponse describe_cluster(const protocol::DescribeClusterRequest& message,
                                                   const Request& request);
protocol::DescribeLogDirsResponse describe_log_dirs(const protocol::DescribeLogDirsRequest& message,
                                                    const Request& request);
protocol::AlterReplicaLogDirsResponse alter_replica_log_dirs(
    const protocol::AlterReplicaLogDirsRequest& message, const Request& request);
protocol::AlterPartitionReassignmentsResponse alter_partition_reassignments(
    const protocol::AlterPartitionReassignmentsRequest& message, const Request& request);
protocol::ListPartitionReassignmentsResponse list_partition_reassignments(
    const protocol::ListPartitionReassignmentsRequest& message, const Request& request);

}  // namespace millrace::inline v0::server
