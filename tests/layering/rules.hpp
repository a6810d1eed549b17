#pragma once
#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

#include "source_tree.hpp"

namespace millrace_test::layering {

/// A place that breaks a rule.
struct Finding {
  std::string rule;
  std::string path;
  std::size_t line = 0;  ///< 0 if it is about the whole file
  std::string text;
};

inline constexpr std::size_t file_lines_limit = 600;
inline constexpr std::size_t function_lines_limit = 70;
inline constexpr std::size_t line_columns_limit = 100;

/// Everything in the tree that breaks a rule of the house, by path.
std::vector<Finding> check(const SourceTree& tree);

/// Rooms, floors, and what may be included from where; adds to `findings`.
void check_includes(const SourceTree& tree, std::vector<Finding>& findings);

/// `path:line: [rule] text`
std::string to_text(const Finding& finding);

}  // namespace millrace_test::layering
