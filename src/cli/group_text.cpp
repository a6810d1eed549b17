#include "group_text.hpp"

#include <fmt/format.h>

#include <charconv>

#include "checks.hpp"
#include "data_directory.hpp"
#include "json_text.hpp"
#include "settings.hpp"
#include "table.hpp"

namespace millrace::inline v0::cli {
namespace {

using std::chrono::milliseconds;

std::vector<std::string_view> split(std::string_view text, char at) {
  std::vector<std::string_view> words;
  for (;;) {
    const std::size_t end = text.find(at);
    words.push_back(text.substr(0, end));
    if (end == std::string_view::npos) return words;
    text.remove_prefix(end + 1);
  }
}

struct Unit {
  std::string_view name;
  double milliseconds;
};
constexpr Unit short_units[] = {{"ms", 1}, {"s", 1e3}, {"m", 60e3}, {"h", 3600e3}, {"d", 86400e3}};
constexpr Unit day_units[] = {{"W", 7 * 86400e3}, {"D", 86400e3}};
constexpr Unit time_units[] = {{"H", 3600e3}, {"M", 60e3}, {"S", 1e3}};

/// Takes a number and one of the units off the front; nothing if that is not what is there.
template <std::size_t count>
std::optional<double> take_amount(std::string_view& text, const Unit (&units)[count]) {
  double number = 0;
  const auto parsed =
      std::from_chars(text.data(), text.data() + text.size(), number, std::chars_format::fixed);
  if (parsed.ec != std::errc{} || number < 0) return std::nullopt;
  text.remove_prefix(static_cast<std::size_t>(parsed.ptr - text.data()));
  for (const Unit& unit : units) {
    if (!text.starts_with(unit.name)) continue;
    text.remove_prefix(unit.name.size());
    return number * unit.milliseconds;
  }
  return std::nullopt;
}

std::optional<double> parse_iso(std::string_view text) {
  if (text.size() < 3 || text.front() != 'P') return std::nullopt;
  text.remove_prefix(1);
  double sum = 0;
  bool in_time = false;
  while (!text.empty()) {
    if (!in_time && text.front() == 'T') {
      in_time = true;
      text.remove_prefix(1);
      if (text.empty()) return std::nullopt;
      continue;
    }
    const auto amount = in_time ? take_amount(text, time_units) : take_amount(text, day_units);
    if (!amount) return std::nullopt;
    sum += *amount;
  }
  return sum;
}

std::string or_dash(const std::optional<std::int64_t>& number) {
  return number ? std::to_string(*number) : "-";
}

std::optional<std::int64_t> committed_of(const GroupProgress& progress) {
  return progress.committed ? std::optional(progress.committed->offset.value()) : std::nullopt;
}

const GroupMemberInfo* member_of(const GroupDescription& group, const GroupProgress& progress) {
  for (const GroupMemberInfo& member : group.members) {
    if (progress.member_id == member.id) return &member;
  }
  return nullptr;
}

}  // namespace

Result<TopicScope> parse_topic_scope(std::string_view text) {
  TopicScope scope;
  const std::size_t colon = text.find(':');
  scope.topic = text.substr(0, colon);
  MILLRACE_CHECK(engine::check_topic_name(scope.topic));
  if (colon == std::string_view::npos) return scope;
  for (const std::string_view number : split(text.substr(colon + 1), ',')) {
    MILLRACE_TRY(const std::int64_t id,
                 parse_whole_number(number, 0, std::numeric_limits<std::int32_t>::max()));
    scope.partitions.push_back(static_cast<PartitionId>(id));
  }
  return scope;
}

Result<std::vector<TopicPartition>> partitions_in(const Broker& broker,
                                                  const std::vector<TopicScope>& scopes) {
  std::vector<TopicPartition> all;
  for (const TopicScope& scope : scopes) {
    MILLRACE_TRY(const auto topic, find_topic(broker, scope.topic));
    for (const PartitionId id : scope.partitions) {
      MILLRACE_CHECK(topic.partition(id));
      all.push_back({scope.topic, id});
    }
    for (PartitionId id = 0; scope.partitions.empty() && id < topic.partition_count(); ++id) {
      all.push_back({scope.topic, id});
    }
  }
  return all;
}

Result<milliseconds> parse_duration(std::string_view text) {
  auto duration = parse_iso(text);
  if (!duration) {
    std::string_view rest = text;
    duration = take_amount(rest, short_units);
    if (!rest.empty()) duration.reset();
  }
  constexpr double most = 1e15;  // 30,000 years
  if (duration && *duration <= most) return milliseconds(static_cast<std::int64_t>(*duration));
  return Error(
      Errc::invalid_argument,
      fmt::format("\"{}\" is not a duration: give PT1H30M, P1D, or 90s, 5m, 2h, 1d", text));
}

Result<OffsetReset> parse_offset_reset(const std::string& text) {
  constexpr std::string_view by_duration = "by_duration:";
  if (text == "earliest") return OffsetReset::earliest;
  if (text == "latest") return OffsetReset::latest;
  if (text == "none") return OffsetReset::none;
  if (text.starts_with(by_duration)) {
    MILLRACE_TRY(const auto age, parse_duration(std::string_view(text).substr(by_duration.size())));
    return OffsetReset::by_duration(age);
  }
  return Error(Errc::invalid_argument,
               fmt::format("\"{}\" is not where a group can begin: give earliest, latest, none, or "
                           "by_duration:PT1H",
                           text));
}

Result<std::vector<const Assignor*>> parse_assignors(const std::string& text) {
  std::vector<const Assignor*> assignors;
  for (const std::string_view name : split(text, ',')) {
    const Assignor* const found = coordinator::find_assignor(name);
    if (found == nullptr) {
      return Error(Errc::invalid_argument,
                   fmt::format("there is no assignor \"{}\"; give range, roundrobin, sticky or "
                               "cooperative-sticky",
                               name));
    }
    assignors.push_back(found);
  }
  return assignors;
}

std::string describe_as_text(const GroupDescription& group) {
  const GroupSummary& summary = group.summary;
  std::string out = fmt::format("group {}, {}, {} member{}{}\n\n", summary.id, summary.state,
                                summary.members, summary.members == 1 ? "" : "s",
                                summary.assignor.empty() ? "" : ", " + summary.assignor);
  Table table({"TOPIC", "PARTITION", "CURRENT-OFFSET", "LOG-END-OFFSET", "LAG", "CONSUMER-ID",
               "HOST", "CLIENT-ID"});
  std::int64_t lag = 0;
  for (const GroupProgress& progress : group.progress) {
    const GroupMemberInfo* const member = member_of(group, progress);
    lag += progress.lag().value_or(0);
    table.add({progress.partition.topic, std::to_string(progress.partition.partition),
               or_dash(committed_of(progress)), std::to_string(progress.log_end.value()),
               or_dash(progress.lag()), member != nullptr ? member->id : "-",
               member != nullptr ? member->host : "-",
               member != nullptr ? member->client_id : "-"});
  }
  return out + table.text() + fmt::format("\nlag in all {}\n", lag);
}

std::string describe_as_json(const GroupDescription& group) {
  Json one;
  one["group"] = group.summary.id;
  one["state"] = group.summary.state;
  one["assignor"] = group.summary.assignor;
  one["generation"] = group.generation;
  one["members"] = Json::array();
  for (const GroupMemberInfo& member : group.members) {
    Json of_member{{"id", member.id}, {"client_id", member.client_id}, {"host", member.host}};
    if (member.instance_id) of_member["instance_id"] = *member.instance_id;
    one["members"].push_back(std::move(of_member));
  }
  one["partitions"] = Json::array();
  for (const GroupProgress& progress : group.progress) {
    Json row{{"topic", progress.partition.topic},
             {"partition", progress.partition.partition},
             {"committed_offset", nullptr},
             {"start_offset", progress.log_start.value()},
             {"end_offset", progress.log_end.value()},
             {"lag", nullptr},
             {"member", nullptr}};
    if (progress.committed) {
      row["committed_offset"] = progress.committed->offset.value();
      row["metadata"] = progress.committed->metadata;
      row["lag"] = *progress.lag();
    }
    if (progress.member_id) row["member"] = *progress.member_id;
    one["partitions"].push_back(std::move(row));
  }
  return one.dump() + "\n";
}

}  // namespace millrace::inline v0::cli
