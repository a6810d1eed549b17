#include <millrace/storage/checkpoint.hpp>

namespace millrace::inline v0::storage {

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

}  // namespace millrace::inline v0::storage
