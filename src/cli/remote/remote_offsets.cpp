#include "remote_offsets.hpp"

#include <millrace/client/errors.hpp>
#include <millrace/protocol/messages/offset_commit.hpp>

namespace millrace::inline v0::cli::remote {

using namespace protocol;

Result<client::Fetcher*> OffsetFinder::fetcher(const std::string& topic) {
  auto found = fetchers_.find(topic);
  if (found == fetchers_.end()) {
    MILLRACE_TRY(auto metadata, cluster_.topic(topic));
    const client::FetchOptions all{.committed_only = false};
    found = fetchers_.try_emplace(topic, cluster_, std::move(metadata), all).first;
  }
  return &found->second;
}

Result<Offsets> OffsetFinder::offsets(const TopicPartition& partition) {
  MILLRACE_TRY(client::Fetcher* const from, fetcher(partition.topic));
  MILLRACE_TRY(const auto start, from->find(partition.partition, client::Fetcher::at_begin));
  MILLRACE_TRY(const auto stop, from->find(partition.partition, client::Fetcher::at_end));
  return Offsets{start.value_or(Offset{}), stop.value_or(Offset{})};
}

Result<std::optional<Offset>> OffsetFinder::find(const TopicPartition& partition, Timestamp time) {
  MILLRACE_TRY(client::Fetcher* const from, fetcher(partition.topic));
  return from->find(partition.partition, time.milliseconds());
}

Result<void> commit_offsets(client::Connection& coordinator, const std::string& group,
                            const std::vector<std::pair<TopicPartition, Offset>>& offsets) {
  OffsetCommitRequest request{.group_id = group};
  for (const auto& [partition, offset] : offsets) {
    if (request.topics.empty() || request.topics.back().name != partition.topic) {
      request.topics.push_back({.name = partition.topic});
    }
    request.topics.back().partitions.push_back(
        {.partition_index = partition.partition, .committed_offset = offset.value()});
  }
  MILLRACE_TRY(const auto response, coordinator.call<OffsetCommitResponse>(request));
  for (const auto& topic : response.topics) {
    for (const auto& one : topic.partitions) {
      auto done = client::check("committing for group " + group, one.error_code);
      if (!done) return done.error().at(topic.name, one.partition_index);
    }
  }
  return {};
}

}  // namespace millrace::inline v0::cli::remote
