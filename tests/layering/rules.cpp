#include "rules.hpp"

#include <algorithm>
#include <set>
#include <tuple>

#include "function_lengths.hpp"

namespace millrace_test::layering {
namespace {

void check_top_level(const SourceTree& tree, std::vector<Finding>& findings) {
  static const std::set<std::string> allowed = {"CMakeLists.txt",
                                                "CMakePresets.json",
                                                "README.md",
                                                "CONTRIBUTING.md",
                                                "LICENSE",
                                                "include",
                                                "src",
                                                "examples",
                                                "tests",
                                                "benchmarks",
                                                "docs",
                                                "build",
                                                "compile_commands.json"};
  for (const std::string& name : tree.top_level) {
    if (name.starts_with('.') || allowed.count(name) != 0) continue;
    findings.push_back({"top-level", name, 0, "has no place at the top of the tree"});
  }
}

std::size_t columns(std::string_view line) {
  return static_cast<std::size_t>(std::count_if(line.begin(), line.end(), [](char c) {
    return (static_cast<unsigned char>(c) & 0xc0u) != 0x80u;  // not inside a UTF-8 sequence
  }));
}

void check_lines(const std::string& path, std::string_view text, bool is_library,
                 std::vector<Finding>& findings) {
  std::size_t number = 0;
  while (!text.empty()) {
    const std::string_view line = text.substr(0, text.find('\n'));
    text.remove_prefix(std::min(line.size() + 1, text.size()));
    ++number;
    if (is_library && columns(line) > line_columns_limit) {
      findings.push_back({"line-length", path, number,
                          std::to_string(columns(line)) + " columns; at most " +
                              std::to_string(line_columns_limit)});
    }
  }
  if (number > file_lines_limit) {
    findings.push_back(
        {"file-length", path, 0,
         std::to_string(number) + " lines; at most " + std::to_string(file_lines_limit)});
  }
}

void check_functions(const std::string& path, std::string_view text,
                     std::vector<Finding>& findings) {
  const auto extents = function_extents(text);
  if (!extents) {
    findings.push_back(
        {"function-length", path, 0, "braces do not balance, so functions cannot be measured"});
    return;
  }
  for (const FunctionExtent& extent : *extents) {
    if (extent.line_count <= function_lines_limit) continue;
    findings.push_back({"function-length", path, extent.first_line,
                        "a function of " + std::to_string(extent.line_count) + " lines; at most " +
                            std::to_string(function_lines_limit)});
  }
}

}  // namespace

std::vector<Finding> check(const SourceTree& tree) {
  std::vector<Finding> findings;
  check_top_level(tree, findings);
  check_includes(tree, findings);
  for (const auto& [path, text] : tree.files) {
    const bool is_library = path.starts_with("include/") || path.starts_with("src/");
    check_lines(path, text, is_library, findings);
    if (is_library) check_functions(path, text, findings);
  }
  std::sort(findings.begin(), findings.end(), [](const Finding& a, const Finding& b) {
    return std::tie(a.path, a.line, a.rule) < std::tie(b.path, b.line, b.rule);
  });
  return findings;
}

std::string to_text(const Finding& finding) {
  const std::string line = finding.line == 0 ? "" : ":" + std::to_string(finding.line);
  return finding.path + line + ": [" + finding.rule + "] " + finding.text;
}

}  // namespace millrace_test::layering
