#pragma once
#include <millrace/core/offset.hpp>
#include <optional>
#include <string>
#include <string_view>

namespace millrace::inline v0::storage {

/// The kinds of file a segment has; suffixes are Kafka's.
inline constexpr std::string_view log_suffix = ".log";
inline constexpr std::string_view offset_index_suffix = ".index";
inline constexpr std::string_view time_index_suffix = ".timeindex";
inline constexpr std::string_view transaction_index_suffix = ".txnindex";
inline constexpr std::string_view snapshot_suffix = ".snapshot";
/// Put behind a whole file name while files are exchanged.
inline constexpr std::string_view deleted_suffix = ".deleted";
inline constexpr std::string_view cleaned_suffix = ".cleaned";
inline constexpr std::string_view swap_suffix = ".swap";

/// `00000000000000000042.log` for offset 42.
std::string file_name(Offset base, std::string_view suffix);

/// The offset in a name made by file_name() with this suffix; nothing for any other name.
std::optional<Offset> parse_file_name(std::string_view name, std::string_view suffix);

}  // namespace millrace::inline v0::storage
