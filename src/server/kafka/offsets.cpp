#include "server/kafka/handlers.hpp"
#include "server/kafka/server_state.hpp"
#include "server/wire_errors.hpp"

namespace millrace::inline v0::server {
namespace {

using namespace protocol;
using AnsweredTopics = std::vector<OffsetFetchResponse::Topic>;
using AskedTopics = std::optional<std::vector<OffsetFetchRequest::Topic>>;

constexpr ApiVersion first_with_many = 8;  // groups in one OffsetFetch

/// What a commit asks for, those partitions left out that cannot be committed; `response` says why.
std::vector<coordinator::OffsetToCommit> offsets_of(const OffsetCommitRequest& message,
                                                    const Request& request,
                                                    OffsetCommitResponse& response) {
  constexpr std::size_t longest_metadata = 4096;
  std::vector<coordinator::OffsetToCommit> offsets;
  const bool is_member = request.may_group(Operation::read, message.group_id);
  for (const auto& topic : message.topics) {
    auto& answers = response.topics.emplace_back();
    answers.name = topic.name;
    const bool may_read = request.may_topic(Operation::read, topic.name);
    for (const auto& from : topic.partitions) {
      auto& answer = answers.partitions.emplace_back();
      answer.partition_index = from.partition_index;
      answer.error_code = to_wire(request.state().partition(topic.name, from.partition_index));
      if (!may_read) answer.error_code = WireError::topic_authorization_failed;
      if (!is_member) answer.error_code = WireError::group_authorization_failed;
      const std::string metadata = from.committed_metadata.value_or(std::string());
      if (answer.error_code == WireError::none && metadata.size() > longest_metadata) {
        answer.error_code = WireError::offset_metadata_too_large;
      }
      if (answer.error_code != WireError::none) continue;
      offsets.push_back({.partition = {topic.name, from.partition_index},
                         .committed = {.offset = Offset{from.committed_offset},
                                       .leader_epoch = LeaderEpoch{from.committed_leader_epoch},
                                       .metadata = metadata,
                                       .commit_time = Timestamp::none(),
                                       .expire_time = std::nullopt}});
    }
  }
  return offsets;
}

void set_errors(OffsetCommitResponse& response, WireError error) {
  for (auto& topic : response.topics) {
    for (auto& partition : topic.partitions) {
      if (partition.error_code == WireError::none) partition.error_code = error;
    }
  }
}

OffsetFetchResponse::Partition answer_of(std::int32_t partition,
                                         const coordinator::CommittedOffset* committed) {
  OffsetFetchResponse::Partition answer;
  answer.partition_index = partition;
  answer.committed_offset = -1;
  if (committed == nullptr) return answer;
  answer.committed_offset = committed->offset.value();
  answer.committed_leader_epoch = static_cast<std::int32_t>(committed->leader_epoch);
  answer.metadata = committed->metadata;
  return answer;
}

struct Asked {
  const Request& by;
  const std::string& group;
  const AskedTopics& topics;
  bool requires_stable;
};

AnsweredTopics all_offsets(const coordinator::GroupCoordinator& groups, const Asked& asked) {
  AnsweredTopics answers;
  const coordinator::OffsetTable* offsets = groups.offsets(asked.group);
  if (offsets == nullptr) return answers;
  for (const auto& [topic, partitions] : offsets->topics()) {
    if (!asked.by.may_topic(Operation::describe, topic)) continue;
    auto& answer = answers.emplace_back();
    answer.name = topic;
    for (const auto& [partition, entry] : partitions) {
      answer.partitions.push_back(answer_of(partition, &entry.committed));
    }
  }
  return answers;
}

AnsweredTopics fetch_offsets(const coordinator::GroupCoordinator& groups, const Asked& asked) {
  if (!asked.topics) return all_offsets(groups, asked);
  AnsweredTopics answers;
  for (const auto& topic : *asked.topics) {
    auto& answer = answers.emplace_back();
    answer.name = topic.name;
    const bool may_look = asked.by.may_topic(Operation::describe, topic.name);
    for (const std::int32_t partition : topic.partition_indexes) {
      if (!may_look) {
        answer.partitions.push_back(answer_of(partition, nullptr));
        answer.partitions.back().error_code = WireError::topic_authorization_failed;
        continue;
      }
      auto& one = answer.partitions.emplace_back(
          answer_of(partition, groups.committed(asked.group, topic.name, partition)));
      if (asked.requires_stable && groups.has_pending(asked.group, {topic.name, partition})) {
        one = answer_of(partition, nullptr);
        one.error_code = WireError::unstable_offset_commit;
      }
    }
  }
  return answers;
}

/// Before version 2 an error stands at each partition only.
void set_errors(const OffsetFetchRequest& message, OffsetFetchResponse& response) {
  if (!message.topics) return;
  for (const auto& topic : *message.topics) {
    auto& answers = response.topics.emplace_back();
    answers.name = topic.name;
    for (const std::int32_t partition : topic.partition_indexes) {
      answers.partitions.push_back(answer_of(partition, nullptr));
      answers.partitions.back().error_code = response.error_code;
    }
  }
}

OffsetFetchResponse fetch_of_one(const OffsetFetchRequest& message, const Request& request) {
  OffsetFetchResponse response;
  if (!request.may_group(Operation::describe, message.group_id)) {
    response.error_code = WireError::group_authorization_failed;
    set_errors(message, response);
    return response;
  }
  const auto groups = request.state().groups();
  if (!groups) {
    response.error_code = WireError::coordinator_not_available;
    return response;
  }
  (*groups)->look([&](const coordinator::GroupCoordinator& all) {
    response.topics =
        fetch_offsets(all, {request, message.group_id, message.topics, message.require_stable});
  });
  return response;
}

OffsetFetchResponse::Group fetch_of_group(const OffsetFetchRequest::Group& group,
                                          bool requires_stable, const Request& request) {
  OffsetFetchResponse::Group answer;
  answer.group_id = group.group_id;
  if (!request.may_group(Operation::describe, group.group_id)) {
    answer.error_code = WireError::group_authorization_failed;
    return answer;
  }
  const auto groups = request.state().groups();
  if (!groups) {
    answer.error_code = WireError::coordinator_not_available;
    return answer;
  }
  (*groups)->look([&](const coordinator::GroupCoordinator& all) {
    answer.topics = fetch_offsets(all, {request, group.group_id, group.topics, requires_stable});
  });
  return answer;
}

OffsetFetchResponse fetch_of_many(const OffsetFetchRequest& message, const Request& request) {
  OffsetFetchResponse response;
  for (const auto& group : message.groups) {
    response.groups.push_back(fetch_of_group(group, message.require_stable, request));
  }
  return response;
}

}  // namespace

OffsetCommitResponse offset_commit(const OffsetCommitRequest& message, const Request& request) {
  OffsetCommitResponse response;
  coordinator::CommitRequest wanted;
  wanted.from = {.group = message.group_id,
                 .member = {message.member_id, message.group_instance_id},
                 .generation = message.generation_id_or_member_epoch};
  wanted.offsets = offsets_of(message, request, response);
  if (wanted.offsets.empty()) return response;
  const auto groups = request.state().groups();
  set_errors(response,
             groups ? to_wire((*groups)->commit(wanted)) : WireError::coordinator_not_available);
  return response;
}

OffsetFetchResponse offset_fetch(const OffsetFetchRequest& message, const Request& request) {
  return request.version() < first_with_many ? fetch_of_one(message, request)
                                             : fetch_of_many(message, request);
}

}  // namespace millrace::inline v0::server
