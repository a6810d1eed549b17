#pragma once
#include <millrace/core/result.hpp>
#include <string>
#include <string_view>
#include <vector>

namespace millrace::inline v0::cli {

/// A setting as it stands in a file of properties.
struct Property {
  std::string name;
  std::string value;
  std::size_t line = 0;  ///< where it begins, from 1
};

/// Java's form, which Kafka's server.properties has: `name=value`, `name: value` or `name value` a
/// line, comments begin with # or !, a backslash at the end goes on in the next line, \t \n \r \f
/// and \uXXXX stand for characters, a backslash before any other for that one. In the order of the
/// text; a name may come twice. Whatever the text, it is understood.
std::vector<Property> parse_properties(std::string_view text);

/// The same of a file. io_error if it cannot be read.
Result<std::vector<Property>> read_properties(const std::string& file);

}  // namespace millrace::inline v0::cli
