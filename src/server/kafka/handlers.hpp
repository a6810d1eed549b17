#pragma once
#include <millrace/protocol/messages/api_versions.hpp>
#include <millrace/protocol/messages/create_topics.hpp>
#include <millrace/protocol/messages/current_leader.hpp>
#include <millrace/protocol/messages/delete_topics.hpp>
#include <millrace/protocol/messages/find_coordinator.hpp>
#include <millrace/protocol/messages/heartbeat.hpp>
#include <millrace/protocol/messages/leave_group.hpp>
#include <millrace/protocol/messages/list_offsets.hpp>
#include <millrace/protocol/messages/metadata.hpp>
#include <millrace/protocol/messages/offset_commit.hpp>
#include <millrace/protocol/messages/offset_fetch.hpp>

#include "server/kafka/request.hpp"

/// What answers each API. Those that return a response do all they have to before they return.
namespace millrace::inline v0::server {

protocol::ApiVersionsResponse api_versions(const protocol::ApiVersionsRequest& message,
                                           const Request& request);
/// For a version that we do not have: says which there are, in version 0.
void answer_unknown_api_versions(Request request);
/// Where the client of a request reaches this broker.
protocol::NodeEndpoint endpoint_of(const Request& request);
protocol::MetadataResponse metadata(const protocol::MetadataRequest& message,
                                    const Request& request);
void produce(Request request);
void fetch(Request request);
protocol::ListOffsetsResponse list_offsets(const protocol::ListOffsetsRequest& message,
                                           const Request& request);

protocol::FindCoordinatorResponse find_coordinator(const protocol::FindCoordinatorRequest& message,
                                                   const Request& request);
void join_group(Request request);
void sync_group(Request request);
protocol::HeartbeatResponse heartbeat(const protocol::HeartbeatRequest& message,
                                      const Request& request);
protocol::LeaveGroupResponse leave_group(const protocol::LeaveGroupRequest& message,
                                         const Request& request);
protocol::OffsetCommitResponse offset_commit(const protocol::OffsetCommitRequest& message,
                                             const Request& request);
protocol::OffsetFetchResponse offset_fetch(const protocol::OffsetFetchRequest& message,
                                           const Request& request);

protocol::CreateTopicsResponse create_topics(const protocol::CreateTopicsRequest& message,
                                             const Request& request);
protocol::DeleteTopicsResponse delete_topics(const protocol::DeleteTopicsRequest& message,
                                             const Request& request);

}  // namespace millrace::inline v0::server
