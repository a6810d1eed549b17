#include <algorithm>
#include <charconv>
#include <millrace/engine/topic_name.hpp>

namespace millrace::inline v0::engine {
namespace {

constexpr std::size_t longest_name = 249;

bool is_legal(char c) noexcept {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '.' ||
         c == '_' || c == '-';
}

}  // namespace

Result<void> check_topic_name(std::string_view name) {
  std::string problem;
  if (name.empty()) {
    problem = "it is empty";
  } else if (name == "." || name == "..") {
    problem = "it cannot be \".\" or \"..\"";
  } else if (name.size() > longest_name) {
    problem = "it has " + std::to_string(name.size()) + " characters, " +
              std::to_string(longest_name) + " is the limit";
  } else if (!std::all_of(name.begin(), name.end(), is_legal)) {
    problem = "only ASCII letters, digits, '.', '_' and '-' are allowed";
  } else {
    return {};
  }
  return Error(Errc::invalid_topic,
               "topic name \"" + std::string(name.substr(0, 300)) + "\" is not valid: " + problem);
}

bool is_internal_topic(std::string_view name) noexcept {
  return name == "__consumer_offsets" || name == "__transaction_state";
}

bool names_collide(std::string_view a, std::string_view b) noexcept {
  const auto same = [](char x, char y) { return (x == '.' ? '_' : x) == (y == '.' ? '_' : y); };
  return a != b && std::equal(a.begin(), a.end(), b.begin(), b.end(), same);
}

std::string partition_directory(std::string_view topic, PartitionId partition) {
  return std::string(topic) + "-" + std::to_string(partition);
}

std::optional<std::pair<std::string, PartitionId>> parse_partition_directory(
    std::string_view name) {
  const std::size_t dash = name.rfind('-');
  if (dash == std::string_view::npos || dash == 0) return std::nullopt;
  PartitionId partition = -1;
  const char* end = name.data() + name.size();
  const auto parsed = std::from_chars(name.data() + dash + 1, end, partition);
  if (parsed.ec != std::errc{} || parsed.ptr != end || partition < 0) return std::nullopt;
  const std::string_view topic = name.substr(0, dash);
  if (!check_topic_name(topic)) return std::nullopt;
  return std::pair(std::string(topic), partition);
}

}  // namespace millrace::inline v0::engine
