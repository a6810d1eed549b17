#pragma once
#include <nlohmann/json.hpp>
#include <string>
#include <string_view>

#include "record_format.hpp"

namespace millrace::inline v0::cli {

/// Keeps its members in the order in which they were added.
using Json = nlohmann::ordered_json;

/// `record` as one line of JSON with its line break, appended to `out`. Keys, values and header
/// values that are not UTF-8 are base64, and a member `..._encoding` says so.
void print_json(const RawRecord& record, std::string_view topic, std::string& out);

/// One line; with a replacement character for what is not UTF-8.
std::string line_of(const Json& value);

bool is_utf8(std::string_view text) noexcept;
std::string to_base64(std::string_view bytes);

}  // namespace millrace::inline v0::cli
