#include <cstdio>
#include <millrace/core/crc32c.hpp>
#include <millrace/storage/checkpoint.hpp>

namespace millrace::inline v0::storage {
namespace {

constexpr std::string_view checksum_word = " crc32c=";

std::string checksum_of(std::string_view line) {
  char digits[9];
  std::snprintf(digits, sizeof digits, "%08x", crc32c(as_bytes(line)));
  return digits;
}

}  // namespace

Result<std::vector<std::string>> parse_checkpoint(std::string_view text, std::string_view file) {
  std::vector<std::string> lines;
  while (!text.empty()) {
    const std::size_t end = text.find('\n');
    if (end == std::string_view::npos) break;
    lines.emplace_back(text.substr(0, end));
    text.remove_prefix(end + 1);
  }
  const bool complete = text.empty() && lines.size() >= 2 && lines[0] == "0" &&
                        lines[1] == std::to_string(lines.size() - 2);
  if (!complete) {
    return Error(Errc::corrupt_data, "checkpoint file " + std::string(file) +
                                         " is cut short or not of version 0; it is rebuilt from "
                                         "the logs if it is deleted");
  }
  lines.erase(lines.begin(), lines.begin() + 2);
  return lines;
}

std::string format_checkpoint(const std::vector<std::string>& entries) {
  std::string text = "0\n" + std::to_string(entries.size()) + "\n";
  for (const auto& entry : entries) text += entry + "\n";
  return text;
}

std::string with_checksum(std::string entry) {
  const std::string digits = checksum_of(entry);
  return std::move(entry) + std::string(checksum_word) + digits;
}

std::optional<std::string_view> without_checksum(std::string_view line) {
  const std::size_t end = line.rfind(checksum_word);
  if (end == std::string_view::npos) return std::nullopt;
  const std::string_view entry = line.substr(0, end);
  if (line.substr(end + checksum_word.size()) != checksum_of(entry)) return std::nullopt;
  return entry;
}

}  // namespace millrace::inline v0::storage
