#include <millrace/coordinator/group_records.hpp>

#include "group_fixture.hpp"
#include "record_vectors.hpp"

using namespace millrace_test;
using namespace millrace::test;
using millrace::Bytes;
using millrace::Offset;
using millrace::Timestamp;

namespace {

coordinator::OwnedBytes bytes_of(const nlohmann::json& hex) {
  return from_hex(hex.get<std::string>());
}

std::string text_or_empty(const nlohmann::json& text) {
  return text.is_null() ? std::string() : text.get<std::string>();
}

}  // namespace

TEST_CASE("Keys are Kafka's bytes", "[group_records]") {
  CHECK(for_each_vector("OffsetCommitKey", [](const auto& fields, const auto& bytes, int version) {
          const auto key = coordinator::parse_key(bytes).value();
          const auto& offset = std::get<coordinator::OffsetKey>(key);
          CHECK(offset.group == fields.at("group").template get<std::string>());
          CHECK(offset.topic == fields.at("topic").template get<std::string>());
          CHECK(offset.partition == fields.at("partition").template get<int>());
          if (version != 1) return;
          const auto record = coordinator::offset_tombstone(
              offset.group, {std::string(offset.topic), offset.partition});
          CHECK(record.key == bytes);
          CHECK_FALSE(record.value);
        }) == 4);
  CHECK(for_each_vector("GroupMetadataKey", [](const auto& fields, const auto& bytes, int) {
          const auto key = coordinator::parse_key(bytes).value();
          CHECK(std::get<coordinator::GroupKey>(key).group ==
                fields.at("group").template get<std::string>());
          CHECK(coordinator::group_tombstone(std::get<coordinator::GroupKey>(key).group).key ==
                bytes);
        }) == 2);
  CHECK(for_each_vector("ConsumerGroupMemberMetadataKey", [](const auto&, const auto& bytes, int) {
          CHECK(std::holds_alternative<coordinator::UnknownKey>(
              coordinator::parse_key(bytes).value()));
        }) == 2);
}

TEST_CASE("Committed offsets are Kafka's bytes", "[group_records]") {
  const int vectors = for_each_vector("OffsetCommitValue", [](const auto& fields, const auto& bytes,
                                                              int version) {
    const auto offset = coordinator::parse_offset(bytes).value();
    CHECK(offset.offset.value() == fields.at("offset").template get<std::int64_t>());
    CHECK(offset.metadata == fields.at("metadata").template get<std::string>());
    CHECK(offset.commit_time.milliseconds() ==
          fields.at("commitTimestamp").template get<std::int64_t>());
    if (fields.contains("leaderEpoch")) {
      CHECK(static_cast<int>(offset.leader_epoch) == fields.at("leaderEpoch").template get<int>());
    }
    if (version == 3 || offset.expire_time) {
      CHECK(coordinator::offset_record("g", {"t", 0}, offset).value == bytes);
    }
  });
  CHECK(vectors == 10);
}

TEST_CASE("Groups are Kafka's bytes", "[group_records]") {
  const int vectors = for_each_vector("GroupMetadataValue", [](const auto& fields,
                                                               const auto& bytes, int version) {
    auto group = coordinator::parse_group(bytes).value();
    CHECK(group.protocol_type == fields.at("protocolType").template get<std::string>());
    CHECK(group.generation == fields.at("generation").template get<int>());
    CHECK(group.protocol == text_or_empty(fields.at("protocol")));
    CHECK(group.leader == text_or_empty(fields.at("leader")));
    const auto& members = fields.at("members");
    REQUIRE(group.members.size() == members.size());
    for (std::size_t i = 0; i < members.size(); ++i) {
      const auto& member = group.members[i];
      CHECK(member.id == members[i].at("memberId").template get<std::string>());
      CHECK(member.client_host == members[i].at("clientHost").template get<std::string>());
      CHECK(member.session_timeout.count() == members[i].at("sessionTimeout").template get<int>());
      CHECK(member.protocols[0].metadata == bytes_of(members[i].at("subscription")));
      CHECK(member.assignment == bytes_of(members[i].at("assignment")));
    }
    if (version != 3) return;
    coordinator::GroupOptions options;
    coordinator::Group again("g", options);
    again.load(std::move(group), {});
    // The order of the members is ours, nothing else.
    const auto written = *coordinator::group_record(again).value;
    CHECK(written.size() == bytes.size());
    CHECK(std::is_permutation(written.begin(), written.end(), bytes.begin(), bytes.end()));
    if (members.size() < 2) CHECK(written == bytes);
  });
  CHECK(vectors == 10);
}

TEST_CASE("Records that are cut short or too new are refused", "[group_records]") {
  const auto cut_everywhere = [](const coordinator::OwnedBytes& bytes, auto parse) {
    for (std::size_t size = 0; size < bytes.size(); ++size) {
      INFO("cut to " << size);
      const auto parsed = parse(Bytes(bytes).first(size));
      REQUIRE_FALSE(parsed.has_value());
      CHECK(parsed.error().code() == Errc::corrupt_data);
    }
  };
  const auto key = coordinator::offset_tombstone("group", {"topic", 3}).key;
  cut_everywhere(key, coordinator::parse_key);
  auto value =
      *coordinator::offset_record("g", {"t", 0}, {Offset{5}, {}, "m", Timestamp(1), {}}).value;
  cut_everywhere(value, coordinator::parse_offset);
  for_each_vector("GroupMetadataValue", [&](const auto&, const auto& bytes, int) {
    cut_everywhere(bytes, coordinator::parse_group);
  });
  value[1] = std::byte{5};
  const auto error = coordinator::parse_offset(value).error();
  CHECK(error.code() == Errc::newer_format);
  CHECK(error.message() == "a committed offset has version 5; this millrace reads up to 4");
}

TEST_CASE("A group's partition is where Kafka's clients look for it", "[group_records]") {
  int count = 0;
  const auto file = load_vectors("coordinator-partition.json");
  for (const auto& vector : file.at("vectors")) {
    const auto id = vector.at("id").get<std::string>();
    INFO(id);
    CHECK(coordinator::coordinator_partition(id, 50) == vector.at("partition_of_50").get<int>());
    CHECK(coordinator::coordinator_partition(id, 10) == vector.at("partition_of_10").get<int>());
    ++count;
  }
  CHECK(count > 10);
}
