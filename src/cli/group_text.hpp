#pragma once
#include <millrace/groups.hpp>
#include <string>

namespace millrace::inline v0::cli {

/// `orders` or `orders:0,2`: a topic, or some of its partitions.
struct TopicScope {
  std::string topic;
  std::vector<PartitionId> partitions;  ///< none: all
};
Result<TopicScope> parse_topic_scope(std::string_view text);
/// The partitions that the scopes name, of topics that exist.
Result<std::vector<TopicPartition>> partitions_in(const Broker& broker,
                                                  const std::vector<TopicScope>& scopes);

/// `P1DT2H3M4.5S` as ISO 8601 has it, or `90s`, `5m`, `2h`, `1d`, `250ms`.
Result<std::chrono::milliseconds> parse_duration(std::string_view text);

/// `earliest`, `latest`, `none` or `by_duration:PT1H`.
Result<OffsetReset> parse_offset_reset(const std::string& text);

/// Names of assignors, best first, between commas.
Result<std::vector<const Assignor*>> parse_assignors(const std::string& text);

/// What the program shows of a group, for people and as JSON.
std::string describe_as_text(const GroupDescription& group);
std::string describe_as_json(const GroupDescription& group);

}  // namespace millrace::inline v0::cli
