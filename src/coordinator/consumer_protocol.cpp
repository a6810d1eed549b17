#include <fmt/format.h>

#include <millrace/coordinator/consumer_protocol.hpp>

#include "coordinator/partition_lists.hpp"

namespace millrace::inline v0::coordinator {
namespace {

using protocol::WireReader;
using protocol::WireWriter;

constexpr std::size_t least_string_bytes = 2;  // the length of an empty one

Result<void> check_version(std::int16_t version, std::string_view doing) {
  if (version >= 0 && version <= consumer_protocol_version) return {};
  return Error(Errc::invalid_argument,
               fmt::format("{}: there is no version {} of it; ask for one from 0 to {}", doing,
                           version, consumer_protocol_version));
}

std::optional<Bytes> view_of(const std::optional<std::vector<std::byte>>& bytes) {
  if (!bytes) return std::nullopt;
  return Bytes(*bytes);
}

std::optional<std::vector<std::byte>> copy_of(const std::optional<Bytes>& bytes) {
  if (!bytes) return std::nullopt;
  return std::vector<std::byte>(bytes->begin(), bytes->end());
}

/// The version in front; a negative one makes the check fail.
Result<std::int16_t> read_version(WireReader& reader, std::string_view doing) {
  const std::int16_t version = reader.int16();
  MILLRACE_CHECK(reader.check(doing));
  if (version >= 0) return version;
  return Error(
      Errc::corrupt_data,
      fmt::format("{}: its version is {}, which cannot be; ask whoever wrote it", doing, version));
}

}  // namespace

Result<std::vector<std::byte>> encode(const Subscription& subscription, std::int16_t version) {
  constexpr std::string_view doing = "writing a member's subscription";
  MILLRACE_CHECK(check_version(version, doing));
  std::vector<std::byte> bytes;
  WireWriter writer(bytes);
  writer.int16(version);
  writer.array_count(subscription.topics.size());
  for (const std::string& topic : subscription.topics) writer.string(topic);
  writer.nullable_bytes(view_of(subscription.user_data));
  if (version >= 1) write_partitions(writer, subscription.owned_partitions);
  if (version >= 2) writer.int32(subscription.generation_id.value_or(-1));
  if (version >= 3) writer.nullable_string(subscription.rack_id);
  MILLRACE_CHECK(writer.finish(doing));
  return bytes;
}

Result<std::vector<std::byte>> encode(const Assignment& assignment, std::int16_t version) {
  constexpr std::string_view doing = "writing a member's assignment";
  MILLRACE_CHECK(check_version(version, doing));
  std::vector<std::byte> bytes;
  WireWriter writer(bytes);
  writer.int16(version);
  write_partitions(writer, assignment.partitions);
  writer.nullable_bytes(view_of(assignment.user_data));
  MILLRACE_CHECK(writer.finish(doing));
  return bytes;
}

Result<Subscription> decode_subscription(Bytes bytes) {
  constexpr std::string_view doing = "reading a member's subscription";
  WireReader reader(bytes);
  MILLRACE_TRY(const std::int16_t version, read_version(reader, doing));
  Subscription subscription;
  for (std::size_t left = reader.array_count(least_string_bytes); left > 0; --left)
    subscription.topics.emplace_back(reader.string());
  subscription.user_data = copy_of(reader.nullable_bytes());
  if (version >= 1) subscription.owned_partitions = read_partitions(reader);
  if (version >= 2) {
    const std::int32_t generation = reader.int32();
    if (generation >= 0) subscription.generation_id = generation;
  }
  if (version >= 3) subscription.rack_id = reader.nullable_string();
  MILLRACE_CHECK(reader.check(doing));
  return subscription;
}

Result<Assignment> decode_assignment(Bytes bytes) {
  constexpr std::string_view doing = "reading a member's assignment";
  if (bytes.empty()) return Assignment{};
  WireReader reader(bytes);
  MILLRACE_CHECK(read_version(reader, doing));
  Assignment assignment;
  assignment.partitions = read_partitions(reader);
  assignment.user_data = copy_of(reader.nullable_bytes());
  MILLRACE_CHECK(reader.check(doing));
  return assignment;
}

}  // namespace millrace::inline v0::coordinator
