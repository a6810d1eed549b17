#pragma once
#include <millrace/core/result.hpp>
#include <string>
#include <string_view>
#include <vector>

namespace millrace::inline v0::storage {

/// Kafka's text checkpoints: a line with version 0, a line with the number of entries, an entry a
/// line. Entries are returned without their line ends; corrupt_data, naming `file`, if the lines do
/// not add up.
Result<std::vector<std::string>> parse_checkpoint(std::string_view text, std::string_view file);
std::string format_checkpoint(const std::vector<std::string>& entries);

}  // namespace millrace::inline v0::storage
