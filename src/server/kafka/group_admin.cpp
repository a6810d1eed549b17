#include <algorithm>
#include <cctype>
#include <deque>
#include <millrace/protocol/messages/describe_groups.hpp>
#include <set>

#include "server/kafka/admin_handlers.hpp"
#include "server/kafka/operations.hpp"
#include "server/kafka/server_state.hpp"
#include "server/wire_errors.hpp"

namespace millrace::inline v0::server {
namespace {

using namespace protocol;
using coordinator::Group;
using coordinator::GroupCoordinator;
using coordinator::GroupState;
using coordinator::OwnedBytes;

bool is_same_word(std::string_view left, std::string_view right) {
  const auto lower = [](char letter) { return std::tolower(static_cast<unsigned char>(letter)); };
  return std::ranges::equal(left, right, {}, lower, lower);
}

bool passes(const std::vector<std::string>& filter, std::string_view word) {
  return filter.empty() || std::ranges::any_of(filter, [&](const std::string& wanted) {
           return is_same_word(wanted, word);
         });
}

/// Says what groups are like; keeps the bytes that it says of their members.
class GroupDescriber {
 public:
  DescribeGroupsResponse::Group describe(const std::string& id, const Group* group) {
    DescribeGroupsResponse::Group answer;
    answer.group_id = id;
    answer.group_state = to_string(group == nullptr ? GroupState::dead : group->state());
    if (group == nullptr) return answer;
    answer.protocol_type = group->protocol_type();
    const bool is_stable = group->state() == GroupState::stable;
    if (is_stable) answer.protocol_data = group->protocol();
    for (const auto& [member_id, member] : group->members()) {
      auto& one = answer.members.emplace_back();
      one.member_id = member_id;
      one.group_instance_id = member.instance_id;
      one.client_id = member.client_id;
      one.client_host = member.client_host;
      if (!is_stable) continue;
      if (const OwnedBytes* metadata = member.metadata_for(group->protocol())) {
        one.member_metadata = kept_.emplace_back(*metadata);
      }
      one.member_assignment = kept_.emplace_back(member.assignment);
    }
    return answer;
  }

 private:
  std::deque<OwnedBytes> kept_;
};

/// The partitions of a topic that are there; `answers` says which are not.
std::vector<coordinator::TopicPartition> partitions_of(const OffsetDeleteRequest::Topic& topic,
                                                       const Request& request,
                                                       OffsetDeleteResponse::Topic& answers) {
  std::vector<coordinator::TopicPartition> found;
  answers.name = topic.name;
  const bool is_allowed = request.may_topic(Operation::read, topic.name);
  for (const auto& [index] : topic.partitions) {
    const WireError error = is_allowed ? to_wire(request.state().partition(topic.name, index))
                                       : WireError::topic_authorization_failed;
    answers.partitions.push_back({index, error});
    if (error == WireError::none) found.push_back({topic.name, index});
  }
  return found;
}

/// Of a group in use, the error names the topic that is.
WireError error_of(const Result<void>& removed) {
  if (removed || removed.error().topic().empty()) return to_wire(removed);
  return removed.error().code() == Errc::group_not_empty ? WireError::group_subscribed_to_topic
                                                         : to_wire(removed);
}

}  // namespace

ListGroupsResponse list_groups(const ListGroupsRequest& message, const Request& request) {
  constexpr const char* only_type = "classic";
  ListGroupsResponse response;
  if (!passes(message.types_filter, only_type)) return response;
  const bool may_see_all = request.may_cluster(Operation::describe);
  const auto looked =
      GroupService::look_at(request.state().broker(), [&](const GroupCoordinator& all) {
        for (const Group* group : all.groups()) {
          if (!may_see_all && !request.may_group(Operation::describe, group->id())) continue;
          const std::string state(to_string(group->state()));
          if (!passes(message.states_filter, state)) continue;
          response.groups.push_back({.group_id = group->id(),
                                     .protocol_type = group->protocol_type(),
                                     .group_state = state,
                                     .group_type = only_type});
        }
      });
  if (!looked) response.error_code = WireError::coordinator_not_available;
  return response;
}

void describe_groups(Request request) {
  const auto message = request.read<DescribeGroupsRequest>();
  if (!message) return request.refuse(message.error());
  DescribeGroupsResponse response;
  const auto describer = std::make_shared<GroupDescriber>();
  const auto looked =
      GroupService::look_at(request.state().broker(), [&](const GroupCoordinator& all) {
        for (const std::string& id : message->groups) {
          if (request.may_group(Operation::describe, id)) {
            response.groups.push_back(describer->describe(id, all.group(id)));
          } else {
            response.groups.push_back(
                {.error_code = WireError::group_authorization_failed, .group_id = id});
          }
        }
      });
  for (auto& group : response.groups) {
    if (!message->include_authorized_operations) break;
    if (group.error_code != WireError::none) continue;
    group.authorized_operations = group_operations(request, group.group_id);
  }
  if (!looked) {
    for (const std::string& id : message->groups) {
      response.groups.push_back(
          {.error_code = WireError::coordinator_not_available, .group_id = id});
    }
  }
  request.respond(response, {describer});
}

DeleteGroupsResponse delete_groups(const DeleteGroupsRequest& message, const Request& request) {
  DeleteGroupsResponse response;
  const std::set<std::string> names(message.groups_names.begin(), message.groups_names.end());
  for (const std::string& name : names) {
    WireError done = WireError::group_authorization_failed;
    if (request.may_group(Operation::remove, name)) {
      const auto groups = request.state().groups();
      done = groups ? to_wire((*groups)->remove_group(name)) : WireError::coordinator_not_available;
    }
    response.results.push_back({name, done});
  }
  return response;
}

OffsetDeleteResponse offset_delete(const OffsetDeleteRequest& message, const Request& request) {
  OffsetDeleteResponse response;
  if (!request.may_group(Operation::remove, message.group_id)) {
    response.error_code = WireError::group_authorization_failed;
    return response;
  }
  if (message.group_id.empty()) {
    response.error_code = WireError::invalid_group_id;
    return response;
  }
  const auto groups = request.state().groups();
  response.error_code = groups ? to_wire((*groups)->remove_offsets(message.group_id, {}))
                               : WireError::coordinator_not_available;
  if (response.error_code != WireError::none) return response;
  for (const auto& topic : message.topics) {
    auto& answers = response.topics.emplace_back();
    const auto partitions = partitions_of(topic, request, answers);
    const WireError error = error_of((*groups)->remove_offsets(message.group_id, partitions));
    for (auto& answer : answers.partitions) {
      if (answer.error_code == WireError::none) answer.error_code = error;
    }
  }
  return response;
}

}  // namespace millrace::inline v0::server
