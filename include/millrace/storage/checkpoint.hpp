#pragma once
#include <millrace/core/result.hpp>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace millrace::inline v0::storage {

/// Kafka's text checkpoints: a line with version 0, a line with the number of entries, an entry a
/// line. Entries are returned without their line ends; corrupt_data, naming `file`, if the lines do
/// not add up.
Result<std::vector<std::string>> parse_checkpoint(std::string_view text, std::string_view file);
std::string format_checkpoint(const std::vector<std::string>& entries);

/// An entry whose damage must not pass for another entry: ends in its own checksum.
std::string with_checksum(std::string entry);
/// The entry that was given to with_checksum(), as a part of `line`; nothing if it is damaged.
std::optional<std::string_view> without_checksum(std::string_view line);

}  // namespace millrace::inline v0::storage
