#pragma once
#include <millrace/core/result.hpp>
#include <string>
#include <string_view>

namespace millrace::inline v0::cli {

/// Replaces \n \r \t \0 \a \e \\ and \xHH by what they stand for; invalid_argument for others.
Result<std::string> unescape(std::string_view text);
/// The same for a separator, which must not be empty.
Result<std::string> parse_separator(std::string_view text);

/// Reads the escape at the front of `text`, which begins with a backslash, and removes it.
Result<char> take_escape(std::string_view& text);

}  // namespace millrace::inline v0::cli
