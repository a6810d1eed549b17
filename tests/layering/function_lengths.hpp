#pragma once
#include <cstddef>
#include <optional>
#include <string_view>
#include <vector>

namespace millrace_test::layering {

/// A function body and the lines it spans, from its declaration to its closing brace.
struct FunctionExtent {
  std::size_t first_line = 0;
  std::size_t line_count = 0;
};

/// The functions of a C++ text at namespace and class level, found by matching braces; nullopt if
/// the braces do not balance. What stands inside a function (lambdas, local classes) counts to it.
std::optional<std::vector<FunctionExtent>> function_extents(std::string_view text);

}  // namespace millrace_test::layering
