#include <millrace/coordinator/group_records.hpp>
#include <millrace/protocol/wire.hpp>

namespace millrace::inline v0::coordinator {
namespace {

using protocol::WireReader;
using protocol::WireWriter;

constexpr std::int16_t offset_key_version = 1;
constexpr std::int16_t group_key_version = 2;
constexpr std::int16_t offset_value_version = 3;
constexpr std::int16_t offset_value_with_expiry = 1;
constexpr std::int16_t group_value_version = 3;
/// Written by no Kafka yet, but read by all that know them (KIP-915).
constexpr std::int16_t flexible_version = 4;

/// The next code point of UTF-8, and how many bytes it takes; a byte that begins none stands for
/// U+FFFD, as Java decodes it.
std::uint32_t next_code_point(std::string_view text, std::size_t& at) noexcept {
  const auto byte = [&](std::size_t i) {
    return i < text.size() ? static_cast<unsigned char>(text[i]) : 0u;
  };
  const std::uint32_t first = byte(at);
  const std::size_t length = first < 0x80   ? 1
                             : first < 0xc2 ? 0
                             : first < 0xe0 ? 2
                             : first < 0xf0 ? 3
                             : first < 0xf5 ? 4
                                            : 0;
  std::uint32_t point = length < 2 ? first : first & (0x7fu >> length);
  bool good = length > 0;
  for (std::size_t i = 1; i < length; ++i) {
    good = good && (byte(at + i) & 0xc0u) == 0x80;
    point = point << 6 | (byte(at + i) & 0x3fu);
  }
  at += good ? length : 1;
  return good ? point : 0xfffd;
}

std::uint32_t java_hash(std::string_view text) noexcept {
  std::uint32_t hash = 0;
  for (std::size_t at = 0; at < text.size();) {
    const std::uint32_t point = next_code_point(text, at);
    if (point < 0x10000) {
      hash = hash * 31 + point;
      continue;
    }
    hash = hash * 31 + (0xd7c0 + (point >> 10));
    hash = hash * 31 + (0xdc00 | (point & 0x3ff));
  }
  return hash;
}

OwnedBytes offset_key(std::string_view group, const TopicPartition& partition) {
  OwnedBytes key;
  WireWriter to(key);
  to.int16(offset_key_version);
  to.string(group);
  to.string(partition.topic);
  to.int32(partition.partition);
  return key;
}

OwnedBytes group_key(std::string_view group) {
  OwnedBytes key;
  WireWriter to(key);
  to.int16(group_key_version);
  to.string(group);
  return key;
}

void write_member(WireWriter& to, const Group& group, const Member& member) {
  const OwnedBytes* const subscription = member.metadata_for(group.protocol());
  to.string(member.id);
  to.nullable_string(member.instance_id);
  to.string(member.client_id);
  to.string(member.client_host);
  to.int32(static_cast<std::int32_t>(member.rebalance_timeout.count()));
  to.int32(static_cast<std::int32_t>(member.session_timeout.count()));
  to.bytes(subscription != nullptr ? Bytes(*subscription) : Bytes());
  to.bytes(member.assignment);
}

/// Texts and bytes of one version: from the first flexible one on they are compact (KIP-482).
class ValueReader : public WireReader {
 public:
  ValueReader(Bytes value, std::int16_t first_flexible)
      : WireReader(value), version_(int16()), flexible_(version_ >= first_flexible) {}
  std::int16_t version() const noexcept { return version_; }
  std::string text() { return std::string(flexible_ ? compact_string() : string()); }
  std::optional<std::string> text_or_null() {
    const auto read = flexible_ ? compact_nullable_string() : nullable_string();
    return read ? std::optional<std::string>(*read) : std::nullopt;
  }
  OwnedBytes blob() {
    const Bytes read = flexible_ ? compact_bytes() : bytes();
    return {read.begin(), read.end()};
  }
  std::size_t count(std::size_t least_bytes) {
    return flexible_ ? compact_array_count(least_bytes) : array_count(least_bytes);
  }
  void end_of_struct() {
    if (flexible_) skip_tagged_fields();
  }

 private:
  std::int16_t version_;
  bool flexible_;
};

Member read_member(ValueReader& from, const std::string& protocol) {
  Member member;
  member.id = from.text();
  if (from.version() >= 3) member.instance_id = from.text_or_null();
  member.client_id = from.text();
  member.client_host = from.text();
  const std::int32_t rebalance = from.version() >= 1 ? from.int32() : -1;
  member.session_timeout = Milliseconds(from.int32());
  member.rebalance_timeout = rebalance < 0 ? member.session_timeout : Milliseconds(rebalance);
  member.protocols.push_back({protocol, from.blob()});
  member.assignment = from.blob();
  from.end_of_struct();
  return member;
}

Result<void> check_version(std::int16_t version, std::int16_t newest, const char* what) {
  if (version >= 0 && version <= newest) return {};
  return Error(version < 0 ? Errc::corrupt_data : Errc::newer_format,
               std::string(what) + " has version " + std::to_string(version) +
                   "; this millrace reads up to " + std::to_string(newest));
}

}  // namespace

PartitionId coordinator_partition(std::string_view id, std::int32_t partitions) noexcept {
  const auto hash = static_cast<std::int32_t>(java_hash(id));
  const std::int32_t positive = hash == INT32_MIN ? 0 : std::abs(hash);
  return positive % partitions;
}

InternalRecord offset_record(std::string_view group, const TopicPartition& partition,
                             const CommittedOffset& committed) {
  OwnedBytes value;
  WireWriter to(value);
  to.int16(committed.expire_time ? offset_value_with_expiry : offset_value_version);
  to.int64(committed.offset.value());
  if (!committed.expire_time) to.int32(static_cast<std::int32_t>(committed.leader_epoch));
  to.string(committed.metadata);
  to.int64(committed.commit_time.milliseconds());
  if (committed.expire_time) to.int64(committed.expire_time->milliseconds());
  return {offset_key(group, partition), std::move(value)};
}

InternalRecord offset_tombstone(std::string_view group, const TopicPartition& partition) {
  return {offset_key(group, partition), std::nullopt};
}

InternalRecord group_record(const Group& group) {
  const auto text_or_null = [](const std::string& text) {
    return text.empty() ? std::nullopt : std::optional<std::string_view>(text);
  };
  OwnedBytes value;
  WireWriter to(value);
  to.int16(group_value_version);
  to.string(group.protocol_type());
  to.int32(group.generation());
  to.nullable_string(text_or_null(group.protocol()));
  to.nullable_string(text_or_null(group.leader()));
  to.int64(group.state_since().milliseconds());
  to.array_count(group.members().size());
  for (const auto& [id, member] : group.members()) write_member(to, group, member);
  return {group_key(group.id()), std::move(value)};
}

InternalRecord group_tombstone(std::string_view group) {
  return {group_key(group), std::nullopt};
}

Result<RecordKey> parse_key(Bytes key) {
  WireReader from(key);
  const std::int16_t version = from.int16();
  RecordKey parsed = UnknownKey{};
  if (version == 0 || version == offset_key_version) {
    OffsetKey offset;
    offset.group = from.string();
    offset.topic = from.string();
    offset.partition = from.int32();
    parsed = offset;
  } else if (version == group_key_version) {
    parsed = GroupKey{from.string()};
  }
  MILLRACE_CHECK(from.check("reading the key of a record of __consumer_offsets"));
  return parsed;
}

Result<CommittedOffset> parse_offset(Bytes value) {
  ValueReader from(value, flexible_version);
  MILLRACE_CHECK(check_version(from.version(), flexible_version, "a committed offset"));
  CommittedOffset committed;
  committed.offset = Offset{from.int64()};
  if (from.version() >= 3) committed.leader_epoch = LeaderEpoch{from.int32()};
  committed.metadata = from.text();
  committed.commit_time = Timestamp{from.int64()};
  if (from.version() == offset_value_with_expiry) {
    const std::int64_t expires = from.int64();
    if (expires >= 0) committed.expire_time = Timestamp{expires};
  }
  from.end_of_struct();
  MILLRACE_CHECK(from.check("reading a committed offset"));
  return committed;
}

Result<GroupSnapshot> parse_group(Bytes value) {
  constexpr std::size_t least_member_bytes = 1 + 1 + 1 + 4 + 1 + 1;
  ValueReader from(value, flexible_version);
  MILLRACE_CHECK(check_version(from.version(), flexible_version, "a group's state"));
  GroupSnapshot group;
  group.protocol_type = from.text();
  group.generation = from.int32();
  group.protocol = from.text_or_null().value_or("");
  group.leader = from.text_or_null().value_or("");
  if (from.version() >= 2) group.state_since = Timestamp{from.int64()};
  const std::size_t members = from.count(least_member_bytes);
  for (std::size_t i = 0; i < members && from.ok(); ++i) {
    group.members.push_back(read_member(from, group.protocol));
  }
  from.end_of_struct();
  MILLRACE_CHECK(from.check("reading a group's state"));
  return group;
}

}  // namespace millrace::inline v0::coordinator
