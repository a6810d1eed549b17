#include <millrace/coordinator/sticky_user_data.hpp>

#include "coordinator/partition_lists.hpp"

namespace millrace::inline v0::coordinator {
namespace {

using protocol::WireReader;
using protocol::WireWriter;

std::optional<std::int32_t> known(std::int32_t generation) {
  return generation < 0 ? std::nullopt : std::optional(generation);
}

/// Members before Kafka 2.3 send no generation.
void read_sticky(WireReader reader, MemberSubscription& member) {
  std::vector<TopicPartition> owned = read_partitions(reader);
  const std::int32_t generation = reader.remaining() == 0 ? -1 : reader.int32();
  if (!reader.ok()) return;
  member.owned_partitions = std::move(owned);
  member.generation_id = known(generation);
}

void read_cooperative(WireReader reader, MemberSubscription& member) {
  const std::int32_t generation = reader.int32();
  if (reader.ok()) member.generation_id = known(generation);
}

}  // namespace

Result<std::optional<std::vector<std::byte>>> user_data_for(
    std::string_view assignor, std::span<const TopicPartition> owned,
    std::optional<std::int32_t> generation_id) {
  const bool with_partitions = assignor == sticky_assignor().name();
  if (!with_partitions && assignor != cooperative_sticky_assignor().name())
    return std::optional<std::vector<std::byte>>();
  std::vector<std::byte> bytes;
  WireWriter writer(bytes);
  if (with_partitions) write_partitions(writer, owned);
  writer.int32(generation_id.value_or(-1));
  MILLRACE_CHECK(writer.finish("writing what a member owns"));
  return std::optional(std::move(bytes));
}

MemberSubscription to_member(std::string member_id, std::optional<std::string> instance_id,
                             const Subscription& subscription, std::string_view assignor) {
  MemberSubscription member{std::move(member_id), std::move(instance_id), subscription.topics,
                            subscription.owned_partitions, subscription.generation_id};
  if (!subscription.user_data || subscription.user_data->empty()) return member;
  const WireReader reader(*subscription.user_data);
  if (assignor == sticky_assignor().name()) read_sticky(reader, member);
  if (assignor == cooperative_sticky_assignor().name() && !member.generation_id)
    read_cooperative(reader, member);
  return member;
}

}  // namespace millrace::inline v0::coordinator
