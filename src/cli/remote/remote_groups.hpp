#pragma once
#include <millrace/client/cluster.hpp>
#include <millrace/groups.hpp>

#include "../group_text.hpp"

namespace millrace::inline v0::cli::remote {

// The same as millrace::Groups, of a broker that runs. The generation of a group is not told.
Result<std::vector<GroupSummary>> list_groups(client::Cluster& cluster);
Result<GroupDescription> describe_group(client::Cluster& cluster, const std::string& group);
Result<std::vector<TopicPartition>> partitions_in(client::Cluster& cluster,
                                                  const std::vector<TopicScope>& scopes);
Result<std::vector<OffsetMove>> plan_reset(client::Cluster& cluster, const std::string& group,
                                           const std::vector<TopicPartition>& partitions,
                                           const ResetTo& to);
Result<void> reset_group(client::Cluster& cluster, const std::string& group,
                         const std::vector<OffsetMove>& moves);
Result<void> remove_group(client::Cluster& cluster, const std::string& group);

}  // namespace millrace::inline v0::cli::remote
